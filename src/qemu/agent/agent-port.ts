import type { Port } from "../../domain/ports.ts";

/** Name by which the agent finds its port in the guest, as in libvirt and virt-install. */
export const AGENT_PORT = "org.qemu.guest_agent.0";

/** Returns whether a character device is the channel of the guest's agent. */
export function isAgentPort({ chardev, device }: Port): boolean {
  return device === "channel" && chardev.target.type === "virtio" && chardev.target.name === AGENT_PORT;
}

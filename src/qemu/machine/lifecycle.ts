import type { Domain } from "../../domain/domain.ts";
import type { Words } from "../argument/argument.ts";

/**
 * -action: what QEMU does by itself when the guest powers off, reboots or crashes, since no daemon waits for it.
 * A guest that crashes and is to be restarted ends with exit status 1, which the reaper sees. qemu(1) -action
 */
export function formatActions(domain: Domain): Words {
  const { onReboot = "restart", onCrash = "destroy" } = domain;
  const reboot = onReboot === "destroy" ? "shutdown" : "reset";
  return ["-action", `reboot=${reboot},shutdown=poweroff,panic=${PANIC[onCrash]}`];
}

const PANIC = {
  destroy: "shutdown",
  "coredump-destroy": "shutdown",
  preserve: "pause",
  restart: "exit-failure",
  "coredump-restart": "exit-failure",
} as const;

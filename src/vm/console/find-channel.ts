import { SvirtError } from "../../errors.ts";
import { isAgentPort } from "../../qemu/agent/agent-port.ts";
import type { NamedPort } from "../../qemu/devices/chardev/argv.ts";
import type { GuestRecord } from "../../state/record.ts";
import { listNamedPorts } from "./find-console.ts";

/**
 * Returns the id of a running guest's channel, by its alias or by the name of its port in the guest; the
 * default is the first channel. Throws "not-found"; "unsupported" for the agent's channel, and for a type
 * without a terminal or socket. qemuDomainOpenChannel() of libvirt
 */
export function findChannel(guest: GuestRecord, name: string | undefined): string {
  const channels = listNamedPorts(guest).filter(({ port }) => port.device === "channel");
  const found = name === undefined ? channels[0] : channels.find((channel) => isCalled(channel, name));
  if (found === undefined) throw notFound(channels, name);
  refuseUnsuited(guest, found);
  return found.id;
}

/**
 * Refuses the channel of the guest's agent: two calls would read each other's answers, and a forced end could
 * leave file systems frozen. Throws "unsupported".
 */
export function refuseAgent(guest: GuestRecord, id: string | undefined): void {
  if (!listNamedPorts(guest).some((one) => one.id === id && isAgentPort(one.port))) return;
  throw new SvirtError(`Operation not supported: channel ${id} is that of the guest's agent`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: `Send its commands by virDomainQemuAgentCommand(): svirt qemu-agent-command ${guest.name} COMMAND`,
  });
}

function isCalled({ id, port }: NamedPort, name: string): boolean {
  return id === name || portName({ port }) === name;
}

function portName({ port }: Pick<NamedPort, "port">): string | undefined {
  return port.device === "channel" && port.chardev.target.type === "virtio"
    ? port.chardev.target.name
    : undefined;
}

function notFound(channels: readonly NamedPort[], name: string | undefined): SvirtError {
  const there = channels.map((channel) => portName(channel) ?? channel.id).join(", ");
  return new SvirtError(`internal error: cannot find channel ${name ?? "(null)"}`, {
    kind: "not-found",
    libvirt: "INTERNAL_ERROR",
    remedy:
      there === ""
        ? "Give the guest one: <channel type='unix'><target type='virtio' name='NAME'/></channel>"
        : `Name one of ${there}.`,
  });
}

function refuseUnsuited(guest: GuestRecord, { id, port }: NamedPort): void {
  refuseAgent(guest, id);
  const { type } = port.chardev;
  if (type === "unix" || type === "pty") return;
  throw new SvirtError(`internal error: channel ${id} is not using a UNIX socket`, {
    kind: "unsupported",
    libvirt: "INTERNAL_ERROR",
    remedy: "Define it with type='unix' or type='pty', and start the guest again.",
  });
}

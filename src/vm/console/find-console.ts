import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { isGuestUser } from "../../plan/facts/guest-user.ts";
import { guestPaths } from "../../plan/paths.ts";
import { listQemuObjects } from "../../plan/record/qemu-objects.ts";
import { isAgentPort } from "../../qemu/agent/agent-port.ts";
import { type NamedPort, namePorts } from "../../qemu/devices/chardev/argv.ts";
import { socketPath } from "../../qemu/devices/chardev/backend.ts";
import { parsePtys } from "../../qemu/monitor/ptys.ts";
import { getFileLabel } from "../../run/labels/get-file-label.ts";
import { parseContext } from "../../selinux/context.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { withMonitor } from "../guest/guest-monitor.ts";
import { namedDevices } from "../guest/named-devices.ts";
import { runningGuest } from "../guest/running-guest.ts";

/** Character device of a running guest for users' connections. */
export interface GuestConsole {
  /** serial0, console1, channel0 */
  readonly id: string;
  readonly facts: FileFacts;
}

/**
 * Finds the terminal or socket of a character device by its id. The default is the first serial port, or else
 * the first console. Throws "not-found"; "unsupported" for another type; "denied" when the file is not the
 * guest's.
 */
export async function findConsole(
  instance: Instance,
  guest: GuestRecord,
  devname: string | undefined,
): Promise<GuestConsole> {
  const port = findPort(listNamedPorts(guest), devname);
  const path = await getPath(instance, guest, port);
  const facts = instance.host.inspectFile(path);
  if (facts !== undefined) {
    refuseStranger(instance, guest, facts);
    return { id: port.id, facts };
  }
  throw new SvirtError(`Cannot connect to ${port.id} of '${guest.name}': ${path} no longer exists`, {
    kind: "not-found",
    remedy: `See the guest's state: svirt domstate ${guest.name}`,
  });
}

/** Lists the character devices of a running guest, including devices attached later. */
export function listNamedPorts(record: GuestRecord): readonly NamedPort[] {
  const { guest } = runningGuest(record);
  return namePorts({ ...guest, devices: namedDevices(guest, listQemuObjects(record.steps)) });
}

function findPort(ports: readonly NamedPort[], devname: string | undefined): NamedPort {
  const found =
    devname === undefined
      ? (ports.find(({ port }) => port.device === "serial") ??
        ports.find(({ port }) => port.device === "console"))
      : ports.find(({ id }) => id === devname);
  if (found !== undefined) return found;
  const there = ports
    .filter(({ port }) => !isAgentPort(port))
    .map(({ id }) => id)
    .join(", ");
  throw new SvirtError(`internal error: cannot find console device '${devname ?? "console0"}'`, {
    kind: "not-found",
    libvirt: "INTERNAL_ERROR",
    remedy: there === "" ? "Give the guest one: <serial type='pty'/>" : `Name one of ${there} by --devname.`,
  });
}

async function getPath(instance: Instance, guest: GuestRecord, { id, port }: NamedPort): Promise<string> {
  const { chardev } = port;
  if (chardev.type === "unix") {
    return chardev.source?.path ?? socketPath(guestPaths(instance.paths, guest.uuid).workFolder, id);
  }
  if (chardev.type === "pty") {
    const answer = await withMonitor(instance, guest.uuid, (monitor) => monitor.execute("query-chardev"));
    const path = parsePtys(answer).get(id);
    if (path !== undefined) return path;
  }
  const file = chardev.type === "file" ? ` Read it: tail -f ${chardev.source.path}` : "";
  throw new SvirtError(
    `Operation not supported: character device ${id} is not using a PTY or a Unix socket`,
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy: `Define it with type='pty' or type='unix', and start the guest again.${file}`,
    },
  );
}

/**
 * Refuses a terminal or socket that is not the guest's. A compromised QEMU may name any terminal, or replace
 * its socket with a symlink, and so receive input for another program. No other guest has this guest's user
 * or image label. Throws "denied".
 */
export function refuseStranger({ host }: Instance, guest: GuestRecord, { id, type, uid }: FileFacts): void {
  const isLabelled =
    guest.label.imageLabel !== undefined && getFileLabel(host, id) === guest.label.imageLabel;
  // Without labels, a socket created by svirt is root's.
  const isRoots = uid === 0 && guest.label.imageLabel === undefined;
  // In a session the user has other terminals and other guests: only the level distinguishes them.
  const isUsers = uid === guest.uid && (isGuestUser(uid) || hasLevelOf(guest, getFileLabel(host, id)));
  if (type === "character" && isUsers) return;
  if (type === "socket" && (isUsers || isLabelled || isRoots)) return;
  throw new SvirtError(`Cannot connect to ${id.path}: the device does not belong to the guest`, {
    kind: "denied",
    remedy: "Run svirt audit: the guest's QEMU may be compromised.",
  });
}

function hasLevelOf(guest: GuestRecord, label: string | undefined): boolean {
  const own = guest.label.label;
  if (own === undefined) return true;
  return label !== undefined && parseContext(label).range === parseContext(own).range;
}

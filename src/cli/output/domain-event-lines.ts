import type { DomainHappening } from "../../vm/events/domain-events.ts";
import type { GuestEventKind } from "../../vm/events/event-kind.ts";
import { type GuestEvent, isReport, type ReportOf } from "../../vm/events/guest-events.ts";
import { jobStatistics } from "../../vm/save/job-statistics.ts";
import { oneLine } from "./one-line.ts";

type What = GuestEvent["what"];

/** Details of a line; undefined for an event of another kind. */
type Describe = (what: What) => string | undefined;

const BYTES_PER_KIB = 1024;
/** Words of libvirt's tools/virsh-domain-event.c and virsh-domain.c */
const ACTIONS = { ignore: "none", report: "report", stop: "pause" };
const FAMILIES = { ipv4: "IPv4", ipv6: "IPv6", unix: "unix", vsock: "unix", unknown: "unix" };
const JOBS = {
  pull: "Block Pull",
  copy: "Block Copy",
  commit: "Block Commit",
  "active-commit": "Active Block Commit",
};
const STATUSES = { ready: "ready", completed: "completed", failed: "failed", cancelled: "canceled" };

const plain =
  (name: What["report"]): Describe =>
  (what) =>
    what.report === name ? "" : undefined;

/** Rest of virsh's line for each kind, after the name of the domain. */
const LINES: Readonly<Record<GuestEventKind, Describe>> = {
  reboot: plain("reboot"),
  "rtc-change": about("rtc-change", ({ offset }) => `: ${offset}`),
  watchdog: about("watchdog", ({ action }) => `: ${action}`),
  "io-error": about("io-error", ioError),
  "io-error-reason": about("io-error", (what) => `${ioError(what)} due to ${what.isFull ? "enospc" : ""}`),
  graphics: about("graphics", ({ auth, local, phase, remote }) => {
    const [here, there] = [local, remote].map(
      ({ family, node, service }) => `[${FAMILIES[family]} ${oneLine(node)} ${oneLine(service)}]`,
    );
    return `: ${phase} local${here} remote${there} ${oneLine(auth)}`;
  }),
  "block-job": about("block-job", (what) => job(what, what.path)),
  "block-job-2": about("block-job", (what) => job(what, what.disk)),
  "tray-change": about("tray-change", ({ device, isOpen }) => {
    return ` disk ${oneLine(device)}: ${isOpen ? "opened" : "closed"}`;
  }),
  "pm-wakeup": plain("pm-wakeup"),
  "pm-suspend": plain("pm-suspend"),
  "pm-suspend-disk": plain("pm-suspend-disk"),
  "balloon-change": about("balloon-change", ({ bytes }) => `: ${Math.ceil(bytes / BYTES_PER_KIB)}KiB`),
  "device-added": about("device-added", device),
  "device-removed": about("device-removed", device),
  "device-removal-failed": about("device-removal-failed", device),
  tunable: about("tunable", ({ parameters }) => listOf(parameters.map(({ field, value }) => [field, value]))),
  // virshEventMetadataChangePrint() of libvirt
  "metadata-change": about("metadata-change", ({ type, uri }) => {
    return `: type ${type}, uri ${oneLine(uri ?? "<null>")}`;
  }),
  "disk-change": about("disk-change", ({ device: alias, isEmptied, path }) => {
    return ` disk ${oneLine(alias)}: ${oneLine(path)} -> <null>: ${isEmptied ? "changed" : "dropped"}`;
  }),
  // virshEventMemoryFailurePrint() and virshEventMemoryDeviceSizeChangePrint() of libvirt
  "memory-failure": about("memory-failure", ({ action, isActionRequired, isRecursive, recipient }) =>
    [
      `:\nrecipient: ${recipient}`,
      `action: ${action}`,
      `flags:\n\taction required: ${Number(isActionRequired)}\n\trecursive: ${Number(isRecursive)}`,
    ].join("\n"),
  ),
  "memory-device-size-change": about("memory-device-size-change", ({ bytes, device: alias }) => {
    return `:\nalias: ${oneLine(alias)}\nsize: ${Math.ceil(bytes / BYTES_PER_KIB)}`;
  }),
  "job-completed": about("job-completed", (what) => listOf(jobStatistics(what))),
  "agent-lifecycle": about("agent-lifecycle", ({ isConnected }) => {
    return `: state: '${isConnected ? "connected" : "disconnected"}' reason: 'channel event'`;
  }),
};

/** Reports whether virsh has the type for running guests, and svirt reports it. */
export function isGuestKind(name: string): name is GuestEventKind {
  return Object.hasOwn(LINES, name);
}

/** Returns virsh's line for an event of a running guest; undefined if it is of another kind. */
export function describeGuestEvent({ name, what }: GuestEvent, kind: GuestEventKind): string | undefined {
  const rest = LINES[kind](what);
  return rest === undefined ? undefined : `event '${kind}' for domain '${oneLine(name)}'${rest}`;
}

/** Details with another name in virsh. */
const LIVES: Partial<Readonly<Record<DomainHappening, string>>> = {
  "suspended ioerror": "Suspended I/O Error",
  "shutdown by guest": "Shutdown Finished after guest request",
  "shutdown by host": "Shutdown Finished after host request",
  "pmsuspended memory": "PMSuspended Memory",
  "pmsuspended disk": "PMSuspended Disk",
};

/** Returns virsh's words for an event in the life of a domain. */
export function describeLife(happened: DomainHappening): string {
  return LIVES[happened] ?? happened.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}

function about<const Name extends What["report"]>(
  name: Name,
  describe: (what: ReportOf<Name>) => string,
): Describe {
  return (what) => (isReport(what, name) ? describe(what) : undefined);
}

function ioError({ action, device: alias, path }: ReportOf<"io-error">): string {
  return `: ${oneLine(path)} (${oneLine(alias)}) ${ACTIONS[action]}`;
}

function job({ status, type }: ReportOf<"block-job">, name: string): string {
  return `: ${JOBS[type]} for ${oneLine(name)} ${STATUSES[status]}`;
}

/** A line for each value. virshEventTunablePrint() and virshEventJobCompletedPrint() of libvirt */
function listOf(values: readonly (readonly [field: string, value: number | string])[]): string {
  return `:${values.map(([field, value]) => `\n\t${field}: ${oneLine(String(value))}`).join("")}`;
}

function device({ device: alias }: { readonly device: string }): string {
  return `: ${oneLine(alias)}`;
}

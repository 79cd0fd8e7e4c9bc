import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { Holding } from "../../host/processes.ts";
import type { ReleasedResource } from "../../plan/facts/released-resource.ts";
import type { PassedTap } from "../../plan/facts/tap.ts";
import { NETWORK_DEVICES } from "../../plan/paths.ts";
import { type GuestIdentity, listGuestProcesses } from "./kill-guest.ts";

// Rule: A running guest releases a label only when none of its processes has the file.

/** Resource to be released by the guest, and the access still held by a process of it. */
export interface StillHeld {
  readonly thing: ReleasedResource;
  readonly holding: Holding;
}

/** Guest, and the maximum number of its open files to inspect. */
export interface InspectedGuest extends GuestIdentity {
  readonly most: number;
}

/**
 * Returns the resources still held by the guest, according to the kernel. An ambiguous resource counts as
 * held.
 */
export function listStillHeld(
  host: Host,
  guest: InspectedGuest,
  things: readonly ReleasedResource[],
): StillHeld[] {
  // If no process has any of them open, the guest's processes need not be inspected.
  const opened = host.listOpened(things);
  if (opened.length === 0) return [];
  const pids = listPids(host, guest);
  const shown = host.findHoldings(opened, pids, { isComplete: true, most: guest.most });
  const found = [...shown, ...listOpenTaps(host, { things: opened, shown, pids })];
  // A process started during the inspection may have received a file from another process inspected later.
  const later = listPids(host, guest).filter((pid) => !pids.includes(pid));
  const begun = later.map((pid): Holding => ({ pid, by: "inherited from its parent", canWrite: true }));
  return [...found, ...begun].flatMap((holding) => {
    const thing = opened.find(({ key }) => holding.key === undefined || key === holding.key);
    if (thing === undefined || (thing.forbidden === "writing" && !holding.canWrite)) return [];
    return holding.key !== undefined && countAlike(found, holding.key) <= (thing.keeps ?? 0)
      ? []
      : [{ thing, holding }];
  });
}

/** Returns open taps without a process's descriptor. */
function listOpenTaps(
  host: Host,
  seen: {
    readonly things: readonly ReleasedResource[];
    readonly shown: readonly Holding[];
    readonly pids: readonly number[];
  },
): Holding[] {
  const { pids, shown, things } = seen;
  const [pid] = pids;
  if (pid === undefined) return [];
  return things.flatMap(({ key, tap }) =>
    tap === undefined || shown.some((holding) => holding.key === key) || !isOpenTap(host, tap)
      ? []
      : { pid, key, by: "vhost-net keeps it open without a descriptor", canWrite: true },
  );
}

/** Counts distinct connections: several processes may share a connection. */
function countAlike(found: readonly Holding[], key: string): number {
  return new Set(found.flatMap((one) => (one.key === key ? one.by : []))).size;
}

/** Describes the access in a line: `process 4711 still holds /srv/disk.img (descriptor 12)`. */
export function describeHeld({ holding, thing }: StillHeld): string {
  const verb = thing.forbidden === "writing" ? "can still write to" : "still holds";
  const name = nameOf(thing);
  if (holding.key !== undefined) return `process ${holding.pid} ${verb} ${name} (${holding.by})`;
  return `process ${holding.pid} may still hold ${name} (${holding.by})`;
}

function nameOf({ keeps, key, path, tap }: ReleasedResource): string {
  if (keeps !== undefined) return "a connection to another program";
  return tap === undefined ? (path ?? key) : `the tap ${tap.name}`;
}

/**
 * Returns the error for resources that are still held. Labels and claims stay, and the change is not done.
 */
export function notReleased(name: string, held: readonly StillHeld[]): SvirtError {
  const told = [...new Set(held.map(describeHeld))].slice(0, MOST_TOLD).join("; ");
  return new SvirtError(`Cannot release resources of the guest ${name}: ${told}`, {
    kind: "partly",
    remedy:
      "End that guest (svirt destroy), since QEMU falsely reported the release; or repeat the command after the " +
      "release. Until then the label and the claim remain.",
  });
}

const MOST_TOLD = 4;

/**
 * Returns all processes of the guest: its user's processes and the processes in its context, independently of
 * their parents.
 */
function listPids(host: Host, guest: GuestIdentity): number[] {
  const { context } = guest;
  const own = listGuestProcesses(host, guest);
  const alike = context === undefined ? [] : host.listProcessesIn((one) => one === context);
  return [...new Set([...own, ...alike].map(({ pid }) => pid))];
}

/** net/if.h */
const IFF_UP = 1;

/**
 * Reports whether any file of a tap is open: by a descriptor, in vhost-net or in a system call. A tap created
 * by svirt exists as long as any of its files is open, and a persistent tap has a carrier for the same time.
 * The policy lets no guest make a tap persistent or set its carrier. drivers/net/tun.c __tun_detach() of
 * Linux
 */
export function isOpenTap(host: Host, { isMade, name }: Pick<PassedTap, "isMade" | "name">): boolean {
  // An interface of the name other than a tap has no such file.
  if (isMade) return host.readText(`${NETWORK_DEVICES}/${name}/tun_flags`) !== undefined;
  // The carrier of an interface that is down cannot be read, and no frame passes it.
  const flags = Number(host.readText(`${NETWORK_DEVICES}/${name}/flags`) ?? "0");
  return (flags & IFF_UP) !== 0 && host.readText(`${NETWORK_DEVICES}/${name}/carrier`)?.trim() === "1";
}

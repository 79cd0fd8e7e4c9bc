import { isDiskNamed } from "../../domain/devices/disk/facts.ts";
import { parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import type { Monitor } from "../../host/monitor.ts";
import { completeGuest } from "../../qemu/complete-guest.ts";
import { listDiskIds } from "../../qemu/devices/disk/argv.ts";
import { type BalloonStatistics, parseBalloonStatistics } from "../../qemu/monitor/balloon-statistics.ts";
import {
  addStatistics,
  type DiskStatistics,
  parseBalloonKiB,
  parseBlockStatistics,
} from "../../qemu/monitor/statistics.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { findRunning } from "../guest/find-domain.ts";
import { withMonitor } from "../guest/guest-monitor.ts";

/** A disk and its I/O statistics. */
interface DiskWithStatistics {
  readonly target: string;
  readonly statistics: DiskStatistics;
}

/** Memory of a guest, and its QEMU's memory of the host. */
export interface MemoryStatistics {
  readonly actualKiB: number;
  readonly maximumKiB: number;
  readonly rssKiB: number | undefined;
  /** Statistics reported by the guest through its balloon. */
  readonly told: BalloonStatistics;
}

/** Returns the domain in a guest's record. */
export function domainOf(guest: Pick<GuestRecord, "xml">): Domain {
  return parseDomainText(guest.xml);
}

/**
 * Returns the I/O statistics of a running guest's disks, in the order of the XML. Throws "timeout", "failed".
 */
async function getDiskStatistics(instance: Instance, guest: GuestRecord): Promise<DiskWithStatistics[]> {
  const ids = listDiskIds(completeGuest(domainOf(guest)));
  const answer = await withMonitor(instance, guest.uuid, (monitor) => monitor.execute("query-blockstats"));
  const found = parseBlockStatistics(answer);
  return [...ids].flatMap(([target, id]) => {
    const statistics = found.get(id);
    return statistics === undefined ? [] : [{ target, statistics }];
  });
}

/**
 * Returns the statistics of a disk of a running guest, by its target or source path, as virsh accepts them.
 * Without a name, returns the sum of all disks under an empty name. Throws "not-found", "wrong-state",
 * "timeout", "failed".
 */
export async function getStatisticsOfDisk(
  instance: Instance,
  key: string,
  name: string | undefined,
): Promise<DiskWithStatistics> {
  const { guest } = findRunning(instance, key);
  const disks = domainOf(guest).devices.disks;
  const all = await getDiskStatistics(instance, guest);
  if (name === undefined)
    return { target: "", statistics: addStatistics(all.map(({ statistics }) => statistics)) };
  const disk = disks.find((found) => isDiskNamed(found, name));
  const found = all.find(({ target }) => target === disk?.target.dev);
  if (found !== undefined) return found;
  throw new SvirtError(`invalid path: ${name}`, {
    kind: "not-found",
    libvirt: "INVALID_ARG",
    remedy: `List the disks: svirt domblklist ${guest.name}`,
  });
}

/**
 * Returns a running guest's memory by its balloon, or all of its memory without a balloon. Throws
 * "not-found", "wrong-state", "timeout", "failed".
 */
export async function getMemoryStatistics(instance: Instance, key: string): Promise<MemoryStatistics> {
  const { guest } = findRunning(instance, key);
  return await withMonitor(instance, guest.uuid, (monitor) => askMemory(instance, guest, monitor));
}

/** Returns the memory statistics over an already open monitor. */
export async function askMemory(
  instance: Instance,
  guest: GuestRecord,
  monitor: Monitor,
): Promise<MemoryStatistics> {
  const domain = domainOf(guest);
  const maximumKiB = domain.memory.kiB;
  const balloon = completeGuest(domain).devices.memballoon;
  const rssKiB = rssOf(instance, guest);
  if (balloon === undefined || balloon.model === "none")
    return { actualKiB: maximumKiB, maximumKiB, rssKiB, told: [] };
  const actualKiB = parseBalloonKiB(await monitor.execute("query-balloon"));
  const path = `/machine/peripheral/${balloon.alias ?? "balloon0"}`;
  const told = await monitor.execute("qom-get", { path, property: "guest-stats" });
  return { actualKiB, maximumKiB, rssKiB, told: parseBalloonStatistics(told) };
}

/** Returns QEMU's resident memory in KiB. proc_pid_status(5) */
function rssOf(instance: Instance, { process }: GuestRecord): number | undefined {
  const status = process === undefined ? undefined : instance.host.readText(`/proc/${process.pid}/status`);
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? "")?.[1];
  return found === undefined ? undefined : Number(found);
}

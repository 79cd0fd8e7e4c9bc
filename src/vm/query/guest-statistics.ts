import { isDiskNamed } from "../../domain/devices/disk/facts.ts";
import { parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import type { Monitor } from "../../host/host.ts";
import { completeGuest } from "../../qemu/complete-guest.ts";
import { listDiskIds } from "../../qemu/devices/disk/argv.ts";
import { type BalloonStatistics, parseBalloonStatistics } from "../../qemu/monitor/balloon-statistics.ts";
import {
  addStatistics,
  type DiskStatistics,
  parseBalloonKiB,
  parseBlockStatistics,
} from "../../qemu/monitor/statistics.ts";
import type { Node } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { withMonitor } from "../guest/guest-monitor.ts";

/** A disk and what it has done. */
interface DiskWithStatistics {
  readonly target: string;
  readonly statistics: DiskStatistics;
}

/** How much memory a guest has, and how much of the host's its QEMU holds. */
export interface MemoryStatistics {
  readonly actualKiB: number;
  readonly maximumKiB: number;
  readonly rssKiB: number | undefined;
  /** What the guest has told through its balloon. */
  readonly told: BalloonStatistics;
}

/** The domain that a guest was started as. */
export function domainOf(guest: Pick<GuestRecord, "xml">): Domain {
  return parseDomainText(guest.xml);
}

/** What each disk of a running guest has done, in the order of the XML. Throws "timeout", "failed". */
async function getDiskStatistics(node: Node, guest: GuestRecord): Promise<DiskWithStatistics[]> {
  const ids = listDiskIds(completeGuest(domainOf(guest)));
  const answer = await withMonitor(node, guest.uuid, (monitor) => monitor.execute("query-blockstats"));
  const found = parseBlockStatistics(answer);
  return [...ids].flatMap(([target, id]) => {
    const statistics = found.get(id);
    return statistics === undefined ? [] : [{ target, statistics }];
  });
}

/**
 * One of them, by its target or by the path of its source, as virsh takes it; without either, all together, under no name.
 * Throws "not-found" besides.
 */
export async function getStatisticsOfDisk(
  node: Node,
  guest: GuestRecord,
  key: string | undefined,
): Promise<DiskWithStatistics> {
  const disks = domainOf(guest).devices.disks;
  const all = await getDiskStatistics(node, guest);
  if (key === undefined)
    return { target: "", statistics: addStatistics(all.map(({ statistics }) => statistics)) };
  const disk = disks.find((found) => isDiskNamed(found, key));
  const found = all.find(({ target }) => target === disk?.target.dev);
  if (found !== undefined) return found;
  throw new SvirtError(`invalid path: ${key}`, {
    kind: "not-found",
    remedy: `See the disks there are: svirt domblklist ${guest.name}`,
  });
}

/** What the guest has by its balloon, or all of its memory where it has none. Throws "timeout", "failed". */
export async function getMemoryStatistics(node: Node, guest: GuestRecord): Promise<MemoryStatistics> {
  return await withMonitor(node, guest.uuid, (monitor) => askMemory(node, guest, monitor));
}

/** The same of a guest whose monitor somebody talks to already. */
export async function askMemory(node: Node, guest: GuestRecord, monitor: Monitor): Promise<MemoryStatistics> {
  const domain = domainOf(guest);
  const maximumKiB = domain.memory.kiB;
  const balloon = completeGuest(domain).devices.memballoon;
  const rssKiB = rssOf(node, guest);
  if (balloon === undefined || balloon.model === "none")
    return { actualKiB: maximumKiB, maximumKiB, rssKiB, told: [] };
  const actualKiB = parseBalloonKiB(await monitor.execute("query-balloon"));
  const path = `/machine/peripheral/${balloon.alias ?? "balloon0"}`;
  const told = await monitor.execute("qom-get", { path, property: "guest-stats" });
  return { actualKiB, maximumKiB, rssKiB, told: parseBalloonStatistics(told) };
}

/** proc_pid_status(5) */
function rssOf(node: Node, { process }: GuestRecord): number | undefined {
  const status = process === undefined ? undefined : node.host.readText(`/proc/${process.pid}/status`);
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? "")?.[1];
  return found === undefined ? undefined : Number(found);
}

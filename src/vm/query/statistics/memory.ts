import { parseDirtyRate } from "../../../qemu/monitor/dirty-rate.ts";
import { askMemory } from "../guest-statistics.ts";
import type { Entry, Subject } from "./subject.ts";

/** Lists the entries of VIR_DOMAIN_STATS_BALLOON. */
export async function listBalloon({ domain, instance, running }: Subject): Promise<readonly Entry[]> {
  const maximum: Entry = ["balloon.maximum", domain.memory.kiB];
  if (running === undefined) {
    return [["balloon.current", domain.currentMemoryKiB ?? domain.memory.kiB], maximum];
  }
  const { actualKiB, rssKiB, told } = await askMemory(instance, running.guest, running.monitor);
  return [
    ["balloon.current", actualKiB],
    maximum,
    ...told.map(([name, value]) => [`balloon.${KEYS.get(name) ?? name}`, value] as const),
    ...(rssKiB === undefined ? [] : [["balloon.rss", rssKiB] as const]),
  ];
}

/** Names that differ from those of dommemstat. */
const KEYS: ReadonlyMap<string, string> = new Map([["last_update", "last-update"]]);

/** Names of virDomainDirtyRateStatus, by number. */
const STATUSES = ["unstarted", "measuring", "measured"];

/** Lists the entries of VIR_DOMAIN_STATS_DIRTYRATE. */
export async function listDirtyRate({ running }: Subject): Promise<readonly Entry[]> {
  if (running === undefined) return [];
  const rate = parseDirtyRate(await running.monitor.execute("query-dirty-rate"));
  const measured = rate["dirty-rate"];
  return [
    ["dirtyrate.calc_status", STATUSES.indexOf(rate.status)],
    ["dirtyrate.calc_start_time", rate["start-time"]],
    ["dirtyrate.calc_period", rate["calc-time"]],
    ["dirtyrate.calc_mode", rate.mode],
    ...(rate.status !== "measured" || measured === undefined
      ? []
      : [["dirtyrate.megabytes_per_second", measured] as const]),
  ];
}

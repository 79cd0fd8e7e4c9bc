import { unlessRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { listUnfinished, removeUnfinished } from "../../state/unfinished.ts";
import type { UnfinishedPoolWork } from "../../state/unfinished-schema.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import { haveSameSource } from "../object-change/noted-work.ts";
import { poolBackendOf } from "./backends/table.ts";

/** Lists the work on pools left in part by killed calls, as listLeftWork() does. */
export function listLeftPoolWork(instance: Instance): readonly UnfinishedPoolWork[] {
  return listUnfinished(instance).flatMap(({ work }) =>
    work.kind === "volume" || isPoolWorkOver(instance, work) ? [] : [work],
  );
}

/** Removes the notes of killed calls whose work on a pool has left nothing, and cannot leave anything. */
export function removeOverPoolNotes(instance: Instance): void {
  for (const { id, work } of listUnfinished(instance))
    if (work.kind !== "volume" && isPoolWorkOver(instance, work) && !mayGoOn(instance, work))
      removeUnfinished(instance, id);
}

/** Longest time of a program of a killed call for a session or a volume. */
const GOING_ON_MS = 300_000;

/**
 * Reports whether a program of a killed call may still bring a source up, such as a login to a slow server.
 */
export function mayGoOn(instance: Instance, { begunMs, kind, name, xml }: UnfinishedPoolWork): boolean {
  if (kind === "storage" || isActiveWith(instance, name, xml)) return false;
  return Math.abs(instance.host.nowMs() - begunMs) < GOING_ON_MS;
}

function isActiveWith(instance: Instance, name: string, xml: string): boolean {
  const active = unlessRefused(() => poolStore.read(instance, name))?.active;
  return active !== undefined && haveSameSource(active, xml);
}

/**
 * Reports whether work on a pool has left nothing: its source is not up, or the pool is active with it, or
 * the definition of a build is gone. Asks no server and no program.
 */
export function isPoolWorkOver(
  instance: Instance,
  { command, kind, name, xml }: UnfinishedPoolWork,
): boolean {
  if (isActiveWith(instance, name, xml)) return true;
  if (kind === "storage")
    return (
      command !== "pool-create" && unlessRefused(() => poolStore.read(instance, name))?.defined === undefined
    );
  return (
    unlessRefused(() => {
      const pool = parsePoolText(xml);
      const { end } = poolBackendOf(pool.type);
      return end === "holds nothing" || end.source === "shared" || !end.source.isUp(instance, pool);
    }) ?? false
  );
}

import { unlessRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { listUnfinished, removeUnfinished } from "../../state/unfinished.ts";
import type { UnfinishedPoolWork } from "../../state/unfinished-schema.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import { haveSameSource } from "../object-change/noted-work.ts";
import { poolBackendOf } from "./backends/table.ts";

/** Lists the work on pools that killed calls have left done in part, as listLeftWork() does. */
export function listLeftPoolWork(instance: Instance): readonly UnfinishedPoolWork[] {
  return listUnfinished(instance).flatMap(({ work }) =>
    work.kind === "volume" || isPoolWorkOver(instance, work) ? [] : [work],
  );
}

/** Removes the notes of killed calls whose work on a pool has left nothing. */
export function removeOverPoolNotes(instance: Instance): void {
  for (const { id, work } of listUnfinished(instance))
    if (work.kind !== "volume" && isPoolWorkOver(instance, work)) removeUnfinished(instance, id);
}

/**
 * Reports whether work on a pool has left nothing: its source is not up, or the pool is active with it, or
 * the definition that a build is for is gone. Asks no server and no program.
 */
export function isPoolWorkOver(
  instance: Instance,
  { command, kind, name, xml }: UnfinishedPoolWork,
): boolean {
  const { active, defined } = unlessRefused(() => poolStore.read(instance, name)) ?? {};
  if (active !== undefined && haveSameSource(active, xml)) return true;
  if (kind === "storage") return defined === undefined && command !== "pool-create";
  return (
    unlessRefused(() => {
      const pool = parsePoolText(xml);
      const { end } = poolBackendOf(pool.type);
      return end === "holds nothing" || end.source === "shared" || !end.source.isUp(instance, pool);
    }) ?? false
  );
}

import type { StepOf } from "../../plan/steps/step.ts";
import type { Instance } from "../instance.ts";
import { isWritten } from "../record.ts";
import { poolStore } from "./pools.ts";

/** Work on a pool without a file of its own. */
export const POOL_NOTES = ["created", "deleted", "refreshed"] as const;
export type PoolNote = (typeof POOL_NOTES)[number];

/** Returns the folder of the notes of this boot: UUID.NOTE, with the pool's name. */
export function poolNotesFolder({ paths }: Pick<Instance, "paths">): string {
  return `${paths.run}/pool-notes`;
}

/**
 * Notes finished work on a pool, reported by clients watching the folder; of a removed pool nothing. Without
 * room for it only the report is missing. The caller holds the registry's lock.
 */
export function notePool(instance: Instance, { name, uuid }: NotedPool, note: PoolNote): void {
  if (!knownUuids(instance).has(uuid)) return;
  const folder = poolNotesFolder(instance);
  isWritten(() => {
    instance.host.makeFolder({ path: folder, mode: 0o700 });
    instance.host.writeVolatile(`${folder}/${uuid}.${note}`, `${name}\n`, 0o600);
  });
}

/**
 * Returns the steps that remove the notes of a pool about to be removed, and of removed pools: a killed call
 * leaves none without their pool for long. The caller holds the registry's lock.
 */
export function poolNoteRemovals(
  instance: Instance,
  { uuid }: Pick<NotedPool, "uuid">,
): readonly StepOf<"remove-file">[] {
  const folder = poolNotesFolder(instance);
  const known = knownUuids(instance);
  return instance.host
    .listFolder(folder)
    .filter((file) => {
      const [owner = ""] = file.split(".");
      return owner === uuid || !known.has(owner);
    })
    .map((file) => ({ do: "remove-file", path: `${folder}/${file}` }));
}

interface NotedPool {
  readonly name: string;
  readonly uuid: string;
}

function knownUuids(instance: Instance): ReadonlySet<string> {
  return new Set(poolStore.list(instance).map(({ uuid }) => uuid));
}

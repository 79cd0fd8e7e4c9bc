import type { Instance } from "../instance.ts";
import { isWritten } from "../record.ts";

/** Work on a pool that no file of its own shows. */
export const POOL_NOTES = ["created", "deleted", "refreshed"] as const;
export type PoolNote = (typeof POOL_NOTES)[number];

/** Returns the folder of the notes of this boot: UUID.NOTE, with the pool's name. */
export function poolNotesFolder({ paths }: Pick<Instance, "paths">): string {
  return `${paths.run}/pool-notes`;
}

/** Notes finished work on a pool, which clients that watch the folder report. Without room for it only the report is missing. */
export function notePool(
  instance: Instance,
  { name, uuid }: { readonly name: string; readonly uuid: string },
  note: PoolNote,
): void {
  const folder = poolNotesFolder(instance);
  isWritten(() => {
    instance.host.makeFolder({ path: folder, mode: 0o700 });
    instance.host.writeVolatile(`${folder}/${uuid}.${note}`, `${name}\n`, 0o600);
  });
}

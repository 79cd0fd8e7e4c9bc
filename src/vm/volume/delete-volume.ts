import type { FileId } from "../../plan/facts/file.ts";
import { formatFolder, removeFormatRecord } from "../../run/labels/format-mark.ts";
import type { Instance } from "../../state/instance.ts";
import { volumeBackendOf } from "./made/backends.ts";
import { refuseNeeded } from "./refuse-needed.ts";
import { type UnusedVolume, withUnusedVolume } from "./unused-volume.ts";

/**
 * Removes a volume: its file, its logical volume or its partition. Throws "not-found"; "in-use" for one that
 * a guest or another volume has; "denied" for anything other than a file of a folder for images, or than
 * `seen`. With `mayBeDisk` it removes the disk of a domain that is off, as isOnlyDiskOf() decides; with
 * `mayBeRead` the kernel of running guests, as hasReadAll() decides.
 */
export async function deleteVolume(
  instance: Instance,
  {
    mayBeDisk = false,
    mayBeRead = false,
    ...volume
  }: {
    readonly key: string;
    readonly pool: string | undefined;
    readonly mayBeDisk?: boolean;
    readonly mayBeRead?: boolean;
    readonly seen?: FileId;
  },
): Promise<{ readonly name: string; readonly path: string }> {
  const operation = "vol deletion";
  return await withUnusedVolume(
    instance,
    {
      ...volume,
      attempt: "delete",
      mayBeDisk,
      mayHave: (owner, file) => mayBeRead && isRead(instance, owner, file),
      operation,
      hasOperation: (pool) => volumeBackendOf(pool) !== undefined,
      readsPools: true,
    },
    async (unused) => {
      const { facts, folder, name, pass } = unused;
      const { id } = facts;
      refuseNeeded(instance, { attempt: `delete ${id.path}`, file: id, mayBeDisk, pass }, folder);
      await remove(instance, unused);
      return { name, path: id.path };
    },
  );
}

/** Few volumes are a kernel. */
function isRead(instance: Instance, owner: string, file: FileId): boolean {
  const { hasReadAll }: typeof import("./read-by-guests.ts") = require("./read-by-guests.ts");
  return hasReadAll(instance, owner, file);
}

async function remove(instance: Instance, { extent, facts, name, pool }: UnusedVolume): Promise<void> {
  if (pool.folder !== undefined) {
    instance.host.removeSame(facts.id);
    removeFormatRecord(instance.host, formatFolder(instance.paths.state), facts.id);
  } else await volumeBackendOf(pool)?.remove(instance, pool, { name, facts, start: extent?.start ?? 0 });
}

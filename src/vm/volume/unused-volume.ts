import { SvirtError, unlessRefused } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { withHeld, withUnusedFile } from "../../labelling/free-file.ts";
import { fileKey } from "../../plan/facts/file.ts";
import { refuseWritten } from "../../resolve/written-place.ts";
import type { Instance } from "../../state/instance.ts";
import { findVolume } from "./find-volume.ts";
import { listVolumeFiles } from "./list-volumes.ts";
import { listVolumePools } from "./volume-pool.ts";

/** Volume that no guest uses. */
export interface UnusedVolume {
  readonly name: string;
  readonly facts: FileFacts;
  /** Folder of its pool. */
  readonly folder: FileFacts;
}

/** Volume to look for, and a verb for messages. */
interface VolumeAttempt {
  readonly key: string;
  readonly pool: string | undefined;
  readonly attempt: string;
  /** Whether the work calls refuseNeeded(), which reads the volumes of all pools. */
  readonly readsPools?: true;
}

/**
 * Does the work on a volume's file under the registry's lock, while no guest uses the file. Throws "not-found"; "in-use" for a
 * file that a guest has; "denied" for anything other than a file of a folder for images.
 */
export async function withUnusedVolume<Result>(
  instance: Instance,
  { attempt, key, pool, readsPools }: VolumeAttempt,
  work: (volume: UnusedVolume) => Result,
): Promise<Result> {
  const { facts, name, path, pool: found } = findVolume(instance, key, pool);
  if (facts.type !== "file") throw notAFile(attempt, path);
  if (readsPools === true) lookAtPools(instance);
  return await withHeld(instance, [path], (held) =>
    withUnusedFile(instance, { attempt, held, path }, (file) => {
      const { id } = file.facts;
      if (fileKey(id) !== fileKey(facts.id) || id.path !== path) throw notAFile(attempt, path);
      refuseWritten(instance.host, file.facts);
      return work({ name, facts: file.facts, folder: found.folder });
    }),
  );
}

/**
 * Looks at the volumes of all pools before the registry's lock is taken, since the work reads them: if the server of one hangs,
 * this command then waits alone. An error is left to the work.
 */
function lookAtPools(instance: Instance): void {
  unlessRefused(() => {
    for (const { folder } of listVolumePools(instance)) listVolumeFiles(instance, folder);
  });
}

function notAFile(attempt: string, path: string): SvirtError {
  return new SvirtError(`Cannot ${attempt} ${path}: it is not a file`, {
    kind: "denied",
    remedy: "Name a volume that svirt vol-list --details shows as a file.",
  });
}

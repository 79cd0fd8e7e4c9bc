import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { withHeld, withUnusedFile } from "../../labelling/free-file.ts";
import { fileKey } from "../../plan/facts/file.ts";
import { refuseWritten } from "../../resolve/written-place.ts";
import type { Instance } from "../../state/instance.ts";
import { findVolume } from "./find-volume.ts";

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
}

/**
 * Does the work on a volume's file under the registry's lock, while no guest uses the file. Throws "not-found"; "in-use" for a
 * file that a guest has; "denied" for anything other than a file of a folder for images.
 */
export async function withUnusedVolume<Result>(
  instance: Instance,
  { attempt, key, pool }: VolumeAttempt,
  work: (volume: UnusedVolume) => Result,
): Promise<Result> {
  const { facts, name, path, pool: found } = findVolume(instance, key, pool);
  if (facts.type !== "file") throw notAFile(attempt, path);
  return await withHeld(instance, [path], (held) =>
    withUnusedFile(instance, { attempt, held, path }, (file) => {
      const { id } = file.facts;
      if (fileKey(id) !== fileKey(facts.id) || id.path !== path) throw notAFile(attempt, path);
      refuseWritten(instance.host, file.facts);
      return work({ name, facts: file.facts, folder: found.folder });
    }),
  );
}

function notAFile(attempt: string, path: string): SvirtError {
  return new SvirtError(`Cannot ${attempt} ${path}: it is not a file`, {
    kind: "denied",
    remedy: "Name a volume that svirt vol-list --details shows as a file.",
  });
}

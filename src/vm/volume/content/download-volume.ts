import { SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import type { FilePart } from "../../../host/new-file.ts";
import { isGivenFormat } from "../../../plan/facts/given-format.ts";
import { folderOf } from "../../../plan/folder-of.ts";
import { fileFormats } from "../../../resolve/formats/file-formats.ts";
import { FORMAT_MARK } from "../../../run/labels/format-mark.ts";
import type { Instance } from "../../../state/instance.ts";
import { decideTarget } from "../../save/target-file.ts";
import { withUnusedVolume } from "../unused-volume.ts";

/** Mode of a new file: it may have a guest's secrets. */
const NEW_MODE = 0o600;
/** A mode without bits for running a guest's file as its owner. */
const MODE_BITS = 0o777;

/**
 * Copies a part of a volume to a file, which is replaced once it is complete. Throws "not-found"; "in-use"
 * for a volume or file that a guest uses; "unsupported" for a file that is not regular; "denied".
 */
export async function downloadVolume(
  instance: Instance,
  volume: { readonly key: string; readonly pool: string | undefined },
  { file, part }: { readonly file: string; readonly part: FilePart },
): Promise<void> {
  const { host } = instance;
  const attempt = { ...volume, attempt: "download" };
  // Checked under the lock, and copied without it, since that may take long.
  const {
    format,
    from,
    sizeBytes: wholeBytes,
    target,
  } = await withUnusedVolume(instance, attempt, ({ facts, sizeBytes }) => ({
    format: part.offset === 0 ? fileFormats(instance).of(facts) : "raw",
    from: facts,
    sizeBytes,
    target: decideTarget(instance, file, host.makeUuid()),
  }));
  const { label, path } = target;
  const old = host.inspectFile(path);
  const sizeBytes = Math.max(0, Math.min(part.mostBytes ?? wholeBytes, wholeBytes - part.offset));
  await host.makeFileWithin(existingFolder(instance, path).id, {
    name: path.slice(path.lastIndexOf("/") + 1),
    content: { bytes: new Uint8Array(), sizeBytes },
    copy: { from: from.id, isShared: false, part },
    reservedBytes: part.isSparse ? 0 : sizeBytes,
    isReplaced: true,
    label,
    // The copy has the guest's bytes.
    mark: isGivenFormat(format) ? { name: FORMAT_MARK, value: format } : undefined,
    ...(old === undefined ? { mode: NEW_MODE } : { mode: old.mode & MODE_BITS, uid: old.uid, gid: old.gid }),
  });
}

function existingFolder({ host }: Instance, path: string): FileFacts {
  const folder = host.inspectFile(folderOf(path) || "/");
  if (folder !== undefined) return folder;
  throw new SvirtError(`Failed to create file '${path}': No such file or directory`, {
    kind: "not-found",
    remedy: "Name a file in an existing folder.",
  });
}

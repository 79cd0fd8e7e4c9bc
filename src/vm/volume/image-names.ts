import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { HEADER_BYTES, probeImageFormat } from "../../images/header.ts";
import { mayName } from "../../images/mentioned-name.ts";
import { belongsToHost } from "../../label/protected-paths.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import type { Instance } from "../../state/instance.ts";
import { readVolumeImage, type VolumeImage } from "./volume-image.ts";

/** Formats whose headers svirt reads, or that have none. */
const READ: ReadonlySet<string> = new Set(["raw", "iso", "qcow2", "qed"]);

/** Length of a qcow2 image's beginning in which its backing file's name begins and ends: the largest cluster, and the longest name. QEMU's block/qcow2.c */
const FAR_BYTES = 2 ** 21 + 1023;

/** Image from which a search begins, the file that is searched, and the paths that earlier searches for it have seen. */
interface Search {
  readonly path: string;
  readonly file: FileId;
  readonly seen: Set<string>;
}

/**
 * Decides whether the headers of a chain of images name a file, from the image at a path. Each image is read once. A header that
 * svirt cannot read names the file if it has the file's name where its format has names, or, of an unknown header, anywhere.
 */
export function leadsTo(instance: Instance, { file, path: top, seen }: Search): boolean {
  const paths = [top];
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const names = namesIn(instance, path, file);
    if (names === "the file" || names.some((name) => isNameOf(instance, name, file))) return true;
    paths.push(...names);
  }
  return false;
}

/** Lists the files that an image's header names, or tells that a header that svirt cannot read has the file's name. */
function namesIn(instance: Instance, path: string, file: FileId): readonly string[] | "the file" {
  const facts = inspectNamed(instance, path);
  if (facts?.type !== "file" && facts?.type !== "block") return [];
  const image = tryToRead(instance, facts);
  if (image === undefined) return mentions(instance, facts, file) ? "the file" : [];
  return [image.backing, image.dataFile].flatMap((name) => name?.path ?? []);
}

/** Decides whether a path leads to a file. */
export function isNameOf(instance: Instance, path: string, file: FileId): boolean {
  const facts = inspectNamed(instance, path);
  return facts !== undefined && fileKey(facts.id) === fileKey(file);
}

/** Inspects a path that a document or an image names; undefined if it cannot be inspected. */
export function inspectNamed({ host }: Instance, path: string): FileFacts | undefined {
  // svirt may not even inspect some files of the host, and a volume is none.
  if (belongsToHost(path)) return undefined;
  return unlessRefused(() => host.inspectFile(path));
}

/** Returns undefined for an image whose header svirt cannot read. */
function tryToRead({ host }: Instance, facts: FileFacts): VolumeImage | undefined {
  const image = unlessRefused(() => readVolumeImage(host, facts));
  return image === undefined || !READ.has(image.format) ? undefined : image;
}

/** Decides whether a file's beginning may name another file. */
function mentions({ host }: Instance, { id }: FileFacts, file: FileId): boolean {
  const name = file.path.slice(file.path.lastIndexOf("/") + 1);
  const bytes = unlessRefused(() => {
    const beginning = host.readBytes(id, 0, HEADER_BYTES);
    return probeImageFormat(beginning) === "qcow2" ? host.readBytes(id, 0, FAR_BYTES) : beginning;
  });
  return bytes !== undefined && mayName(bytes, name);
}

function unlessRefused<Result>(call: () => Result): Result | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof SvirtError) return undefined;
    throw error;
  }
}

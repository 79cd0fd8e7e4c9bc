import { unlessRefused } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { claimedFormat, HEADER_BYTES } from "../../images/header.ts";
import { mayName } from "../../images/mentioned-name.ts";
import { belongsToHost } from "../../label/protected-paths.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import type { FileFormats } from "../../resolve/formats/file-formats.ts";
import type { Instance } from "../../state/instance.ts";
import { readVolumeImage, type VolumeImage } from "./volume-image.ts";

/** Formats whose images name no other file; the last two are the words of old headers for raw. */
const NAMELESS: ReadonlySet<string> = new Set(["raw", "iso", "luks", "file", "host_device"]);

/**
 * Length of a qcow2 image's beginning in which its backing file's name begins and ends: the largest cluster,
 * and the longest name. QEMU's block/qcow2.c
 */
const FAR_BYTES = 2 ** 21 + 1023;

/** Image, and the format in which it is read. */
export interface NamedImage {
  readonly path: string;
  /**
   * `recorded`: as fileFormats() decides. `claimed`: as its first bytes say, which its guest may have
   * written. The caller then confirms that it has a format with names.
   */
  readonly as: { readonly format: string } | "recorded" | "claimed";
}

/**
 * Image from which a search begins, the file that is searched, and the images from which none leads to it.
 */
interface Search {
  readonly image: NamedImage;
  readonly file: FileId;
  readonly formats: FileFormats;
  /** Images of earlier searches for the file that did not find it. */
  readonly vain: Set<string>;
}

/**
 * Decides whether the headers of a chain of images name a file, from an image on. Each image is read in the
 * format that the header above records. A header that svirt cannot read names the file if it has the file's
 * name where its format has names, or, of an unknown header, anywhere.
 */
export function leadsTo(instance: Instance, { file, formats, image: top, vain }: Search): boolean {
  const seen = new Set<string>();
  const images = [top];
  for (let image = images.pop(); image !== undefined; image = images.pop()) {
    const key = keyOf(image);
    if (seen.has(key) || vain.has(key)) continue;
    seen.add(key);
    const names = namesIn(instance, image, { file, formats });
    if (names === "the file" || names.some(({ path }) => isNameOf(instance, path, file))) return true;
    images.push(...names);
  }
  for (const key of seen) vain.add(key);
  return false;
}

/** As leadsTo(), or whether the image is the file itself. */
export function isOrLeadsTo(instance: Instance, search: Search): boolean {
  if (search.vain.has(keyOf(search.image))) return false;
  return isNameOf(instance, search.image.path, search.file) || leadsTo(instance, search);
}

/** Whether images of a format name no other file. */
export function isNameless(format: string): boolean {
  return NAMELESS.has(format);
}

function keyOf({ as, path }: NamedImage): string {
  return `${JSON.stringify(as)} ${path}`;
}

/**
 * Lists the files that an image's header names, or tells that a header that svirt cannot read has the file's
 * name.
 */
function namesIn(
  instance: Instance,
  { as, path }: NamedImage,
  { file, formats }: Pick<Search, "file" | "formats">,
): readonly NamedImage[] | "the file" {
  const facts = inspectNamed(instance, path);
  if (facts?.type !== "file" && facts?.type !== "block") return [];
  const format = unlessRefused(() => formatOf(instance, facts, { as, formats }));
  if (format === undefined || isNameless(format)) return [];
  const image = tryToRead(instance, facts, format);
  if (image === undefined) return mentions(instance, facts, file) ? "the file" : [];
  return namedBy(image);
}

function formatOf(
  { host }: Instance,
  facts: FileFacts,
  { as, formats }: { readonly as: NamedImage["as"]; readonly formats: FileFormats },
): string {
  if (as === "recorded") return formats.of(facts);
  return as === "claimed" ? claimedFormat(host.readBytes(facts.id, 0, HEADER_BYTES)) : as.format;
}

/** Lists the files that an image names, each with the format that the image records for it. */
function namedBy({ backing, dataFile }: VolumeImage): readonly NamedImage[] {
  return [
    ...(backing === undefined ? [] : [namedImage(backing.path, backing.format)]),
    ...(dataFile === undefined ? [] : [namedImage(dataFile.path, "raw")]),
  ];
}

/** Returns an image that a header names with a format, or without one. */
export function namedImage(path: string, format: string | undefined): NamedImage {
  return { path, as: format === undefined ? "recorded" : { format } };
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
function tryToRead({ host }: Instance, facts: FileFacts, format: string): VolumeImage | undefined {
  if (format !== "qcow2" && format !== "qed") return undefined;
  return unlessRefused(() => readVolumeImage(host, facts, format));
}

/** Decides whether a file's beginning may name another file. */
function mentions({ host }: Instance, { id }: FileFacts, file: FileId): boolean {
  const name = file.path.slice(file.path.lastIndexOf("/") + 1);
  const bytes = unlessRefused(() => {
    const beginning = host.readBytes(id, 0, HEADER_BYTES);
    return claimedFormat(beginning) === "qcow2" ? host.readBytes(id, 0, FAR_BYTES) : beginning;
  });
  return bytes !== undefined && mayName(bytes, name);
}

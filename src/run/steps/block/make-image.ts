import { SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import type { Host } from "../../../host/host.ts";
import { isNewLuks, luksHeaderBytes } from "../../../images/luks/new-luks.ts";
import { formatNewImage, luksPlace } from "../../../images/new-qcow2.ts";
import { partialPath } from "../../../plan/partial-names.ts";
import type { StepOf } from "../../../plan/steps/step.ts";

/** Headers of LUKS for new encrypted images, by their paths. */
export type LuksHeaders = ReadonlyMap<string, Uint8Array>;

/** Compared bytes of a raw image's data. */
const RAW_BYTES = 64 * 1024;

type NewImage = StepOf<"make-image" | "remove-image">;

/**
 * Throws "wrong-state" for an encrypted image without a header: another call has changed which images are
 * made.
 */
export function refuseWithoutHeader(
  images: readonly Pick<NewImage, "image" | "path">[],
  headers?: LuksHeaders,
): void {
  const lacking = images.find(({ image, path }) => image.luks !== undefined && headers?.has(path) !== true);
  if (lacking === undefined) return;
  throw new SvirtError(
    `Cannot make the encrypted image ${lacking.path}: the domain has changed meanwhile, and its header was not made`,
    { kind: "wrong-state", remedy: "Try again." },
  );
}

/** Creates an empty image, complete or not at all. Throws "host-call" when a file exists at the path. */
export function makeImage(host: Host, step: NewImage, headers?: LuksHeaders): void {
  const { image, path } = step;
  const luks = headers?.get(path);
  refuseWithoutHeader([step], headers);
  const bytes = formatNewImage({ ...image, luks: image.luks === undefined ? undefined : luks });
  host.makeFile(path, 0o600, { bytes, sizeBytes: sizeOf(step) });
}

/**
 * Removes a still empty image, and a partial image left by a killed svirt. Another file at its path stays; a
 * missing file is not an error. Throws "denied" if another file replaces it during the call.
 */
export function removeImage(host: Host, step: NewImage): void {
  const image = findBegun(host, step, step.path);
  if (image?.sizeBytes === sizeOf(step)) host.removeSame(image.id);
  const half = findBegun(host, step, partialPath(step.path));
  if (half !== undefined) host.removeSame(half.id);
}

/** Returns the file if it is a complete or partial copy of the empty image. */
function findBegun(host: Host, step: NewImage, path: string): FileFacts | undefined {
  const found = host.inspectFile(path);
  if (found?.type !== "file" || found.id.path !== path || found.sizeBytes > sizeOf(step)) return undefined;
  const { luks, ...image } = step.image;
  const header = luks === undefined ? undefined : readHeader(host, found, step);
  if (luks !== undefined && header === undefined) return undefined;
  const bytes = formatNewImage({ ...image, luks: header });
  const length = Math.min(found.sizeBytes, bytes.length + (image.format === "raw" ? RAW_BYTES : 0));
  const is = host.readBytes(found.id, 0, length);
  const isSame = is.length === length && is.every((byte, at) => byte === (bytes[at] ?? 0));
  return isSame ? found : undefined;
}

/**
 * Returns the header of an encrypted image, with zeros behind the end of a partial header; undefined if it is
 * not svirt's. Its keys are random, and in no other place.
 */
function readHeader(host: Host, { id }: FileFacts, { image }: NewImage): Uint8Array | undefined {
  if (image.luks === undefined) return undefined;
  const { luks, ...rest } = image;
  const header = new Uint8Array(luksHeaderBytes(luks.cipher));
  const is = host.readBytes(id, luksPlace(rest, header.length), header.length);
  header.set(is);
  return isNewLuks(is, luks.cipher) ? header : undefined;
}

/**
 * Returns the size of the image's file. A raw image is as long as the guest's disk, behind the header of its
 * encryption.
 */
function sizeOf({ image: { luks, ...image } }: NewImage): number {
  const headerBytes = luks === undefined ? 0 : luksHeaderBytes(luks.cipher);
  if (image.format === "raw") return headerBytes + image.sizeBytes;
  const header = luks === undefined ? undefined : new Uint8Array(headerBytes);
  return formatNewImage({ ...image, luks: header }).length;
}

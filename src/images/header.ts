import { SvirtError } from "../errors.ts";
import type { ImageFormat, ImageHeader } from "./element.ts";
import { parseQcow2Header } from "./qcow2-header.ts";
import { parseQedHeader } from "./qed-header.ts";

/**
 * Length of the file's start that contains any header svirt accepts, with extensions and the backing file's
 * name.
 */
export const HEADER_BYTES = 64 * 1024;

const MAGICS: readonly (readonly [name: string, at: number, magic: string])[] = [
  ["qcow", 0, "QFI\xfb\0\0\0\x01"],
  ["qcow2", 0, "QFI\xfb"],
  ["qed", 0, "QED\0"],
  ["vmdk", 0, "KDMV"],
  ["vmdk", 0, "COWD"],
  ["vmdk", 0, "# Disk DescriptorFile"],
  ["vdi", 0x40, "\x7f\x10\xda\xbe"],
  ["vhdx", 0, "vhdxfile"],
  ["vpc", 0, "conectix"],
  ["luks", 0, "LUKS\xba\xbe"],
  ["dmg", 0, "koly"],
  ["parallels", 0, "WithoutFreeSpace"],
  ["parallels", 0, "WithouFreSpacExt"],
];

/**
 * Reads an image's header from the first HEADER_BYTES bytes of its file (fewer only at the end of the file).
 * An image declared raw is raw whatever its first bytes are: the guest may have written a header there with
 * the name of a file of the host. Throws "failed" for a broken header, "unsupported" for a header not to be
 * followed.
 */
export function parseImageHeader(bytes: Uint8Array, expected: ImageFormat): ImageHeader {
  switch (expected) {
    case "raw":
      return { format: "raw" };
    case "qcow2":
      return parseQcow2Header(bytes);
    case "qed":
      return parseQedHeader(bytes);
  }
}

/**
 * Reads the header that a file claims to have, from the first `most` bytes of the file; "raw" for a file
 * without a header. Throws "failed" and "unsupported" as parseImageHeader(), for a format that svirt does not
 * read, and for a header that is longer.
 */
export function parseClaimed(bytes: Uint8Array, most: number): ImageHeader | "raw" {
  const format = claimedFormat(bytes);
  if (format === "raw") return format;
  const isCut = bytes.length === most;
  return format === "qcow2"
    ? parseQcow2Header(bytes, { isCut })
    : parseImageHeader(bytes, parseImageFormat(format));
}

declare const author: unique symbol;

/**
 * First bytes of a file that no guest could write, so that the operator is their author. Only
 * src/resolve/formats/file-formats.ts makes such a value.
 */
export type NeverGivenBytes = Uint8Array & { readonly [author]: "operator" };

/** Returns the format that a file's first bytes indicate, "raw" if none. */
export function probeImageFormat(bytes: NeverGivenBytes): string {
  return claimedFormat(bytes);
}

/**
 * Returns the format that a file claims to have by its first bytes, which its guest may have written; "raw"
 * without a claim. The claim says only that a closer look at the file is needed: nothing else may follow from
 * it.
 */
export function claimedFormat(bytes: Uint8Array): string {
  return MAGICS.find(([, at, magic]) => startsWith(bytes, at, magic))?.[0] ?? "raw";
}

/**
 * Place of the mark of ISO 9660: behind the first byte of sector 16. ECMA-119, 8.4.2;
 * virStorageFileProbeFormat() of libvirt
 */
export const ISO_MARK = { offset: 16 * 2048 + 1, length: 5 };

/** Decides whether the bytes at ISO_MARK are the mark. */
export function isIsoMark(bytes: Uint8Array): boolean {
  return startsWith(bytes, 0, "CD001");
}

/** Returns a word as a format followed by svirt. Throws "unsupported". */
export function parseImageFormat(word: string): ImageFormat {
  if (word === "raw" || word === "qcow2" || word === "qed") return word;
  throw new SvirtError(`Cannot use an image of format "${word}": only raw, qcow2 and qed are supported`, {
    kind: "unsupported",
    remedy: "Convert it with qemu-img convert -O qcow2.",
  });
}

function startsWith(bytes: Uint8Array, at: number, magic: string): boolean {
  if (bytes.length < at + magic.length) return false;
  for (let index = 0; index < magic.length; index += 1)
    if (bytes[at + index] !== magic.charCodeAt(index)) return false;
  return true;
}

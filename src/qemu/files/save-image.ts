import { SvirtError } from "../../errors.ts";
import type { ImageWrites } from "../../images/image-writes.ts";

/**
 * Header of the file of `save`, followed by XML, padding and QEMU's stream. qemu_saveimage.h of libvirt:
 * virQEMUSaveHeader
 */
export interface SaveHead {
  /** The domain's definition, in its stored form. */
  readonly xml: string;
  /** Whether the vCPUs ran. If so, they run again after a restore. */
  readonly wasRunning: boolean;
}

/** A header, and the offset of QEMU's stream. */
export interface FoundHead extends SaveHead {
  readonly streamAt: number;
}

const WHOLE = "LibvirtQemudSave";
const PARTIAL = "LibvirtQemudPart";
/** Mark of a change of the XML. libvirt does not know it: the file is incomplete to it meanwhile. */
const CHANGE_MARK = "svirtXML";
const NUMBER_BYTES = 4;
const VERSION = 2;
/** Magic, five used numbers and fourteen unused numbers. */
export const HEAD_BYTES = 92;
/** Place of the number that says whether the vCPUs ran. */
const RUNNING_AT = WHOLE.length + 2 * NUMBER_BYTES;
/** Padding after the XML, for a longer text. virQEMUSaveDataWrite() */
const PADDING_BYTES = 64 * 1024;
/** Upper bound of the XML, above the size of any definition. */
const MOST_XML_BYTES = 16 * 1024 * 1024;
const FORMATS = ["raw", "gzip", "bzip2", "xz", "lzop", "zstd", "sparse"];

/**
 * Formats the file's beginning while QEMU still writes its stream. Its magic marks the file as incomplete to
 * all tools.
 */
export function formatSaveHead({ wasRunning, xml }: SaveHead): Uint8Array {
  const text = new TextEncoder().encode(`${xml}\0`);
  const bytes = new Uint8Array(HEAD_BYTES + text.length + PADDING_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(PARTIAL));
  // Byte order of the host, as libvirt writes it.
  for (const [at, number] of [VERSION, text.length + PADDING_BYTES, wasRunning ? 1 : 0].entries())
    view.setUint32(WHOLE.length + 4 * at, number, true);
  bytes.set(text, HEAD_BYTES);
  return bytes;
}

/** Returns the magic that replaces the first bytes once the file is complete. */
export function formatWholeMark(): Uint8Array {
  return new TextEncoder().encode(WHOLE);
}

/**
 * Returns the length of the XML with its padding and cookie, from the first HEAD_BYTES, also of an incomplete
 * file. Throws "failed" with libvirt's message.
 */
export function parseSaveHead(head: Uint8Array): { readonly dataBytes: number } {
  const { dataBytes } = readNumbers(head);
  return { dataBytes };
}

/** Parses the header and the `dataBytes` after it. Throws "failed", "unsupported" with libvirt's message. */
export function parseSaveImage(head: Uint8Array, after: Uint8Array): FoundHead {
  const { cookieAt, dataBytes, isWhole, wasRunning } = readNumbers(head);
  if (after.length !== dataBytes) throw broken("failed to read domain XML");
  if (!isWhole) {
    const change = findChange(after);
    if (change === undefined) throw broken("save image is incomplete");
    return { ...change, streamAt: HEAD_BYTES + dataBytes };
  }
  const all = after.subarray(0, cookieAt === 0 ? dataBytes : cookieAt);
  const end = all.indexOf(0);
  const xml = new TextDecoder().decode(end < 0 ? all : all.subarray(0, end));
  return { xml, wasRunning, streamAt: HEAD_BYTES + dataBytes };
}

/**
 * Plans the change of the XML of a complete file, or of a file with an interrupted change. The file has the
 * old or the new XML at any instant: the new XML is first written where the padding ends, then marked as
 * valid by the magic of an incomplete file, and then written to its place. Throws "failed" with libvirt's
 * message if it does not fit; "unsupported" for a file with a cookie, since the cookie's place would change.
 */
export function planSavedXml(
  head: Uint8Array,
  after: Uint8Array,
  { wasRunning, xml }: SaveHead,
): ImageWrites {
  const { cookieAt, dataBytes, isLittle, isWhole } = readNumbers(head);
  const old = parseSaveImage(head, after);
  if (cookieAt !== 0) throw cookieRefusal();
  const text = new TextEncoder().encode(`${xml}\0`);
  const change = formatChange(text, wasRunning);
  const longest = Math.max(text.length, new TextEncoder().encode(old.xml).length + 1);
  if (longest + change.length > dataBytes) throw broken("new xml too large to fit in file");
  const encode = (words: string): Uint8Array => new TextEncoder().encode(words);
  const inPlace = (ran: boolean, bytes: Uint8Array): ImageWrites[number] => {
    const running = new Uint8Array(NUMBER_BYTES);
    new DataView(running.buffer).setUint32(0, ran ? 1 : 0, isLittle);
    return [
      { offset: RUNNING_AT, bytes: running },
      { offset: HEAD_BYTES, bytes },
    ];
  };
  // The only valid XML of an interrupted change lies in the place for the next XML: the first change is
  // finished before.
  const finished = isWhole
    ? []
    : [inPlace(old.wasRunning, encode(`${old.xml}\0`)), [{ offset: 0, bytes: encode(WHOLE) }]];
  return [
    ...finished,
    [{ offset: HEAD_BYTES + dataBytes - change.length, bytes: change }],
    [{ offset: 0, bytes: encode(PARTIAL) }],
    inPlace(wasRunning, text),
    [{ offset: 0, bytes: encode(WHOLE) }],
  ];
}

/** Formats a change of the XML: the XML, whether the guest ran, the length of the XML, and a mark. */
function formatChange(text: Uint8Array, wasRunning: boolean): Uint8Array {
  const bytes = new Uint8Array(text.length + 2 * NUMBER_BYTES + CHANGE_MARK.length);
  bytes.set(text);
  const view = new DataView(bytes.buffer, text.length);
  view.setUint32(0, wasRunning ? 1 : 0, true);
  view.setUint32(NUMBER_BYTES, text.length, true);
  bytes.set(new TextEncoder().encode(CHANGE_MARK), text.length + 2 * NUMBER_BYTES);
  return bytes;
}

/** Returns the change at the end of the padding; undefined if there is none. */
function findChange(after: Uint8Array): SaveHead | undefined {
  const end = after.length - 2 * NUMBER_BYTES - CHANGE_MARK.length;
  if (end < 0 || new TextDecoder().decode(after.subarray(end + 2 * NUMBER_BYTES)) !== CHANGE_MARK)
    return undefined;
  const view = new DataView(after.buffer, after.byteOffset + end);
  const length = view.getUint32(NUMBER_BYTES, true);
  if (length === 0 || length > end) return undefined;
  const xml = new TextDecoder().decode(after.subarray(end - length, end - 1));
  return { xml, wasRunning: view.getUint32(0, true) !== 0 };
}

function readNumbers(head: Uint8Array) {
  if (head.length < HEAD_BYTES) throw broken("failed to read qemu header");
  const magic = new TextDecoder().decode(head.subarray(0, WHOLE.length));
  const isWhole = magic === WHOLE;
  if (!isWhole && magic !== PARTIAL) throw broken("image magic is incorrect");
  const view = new DataView(head.buffer, head.byteOffset);
  // In a file of the other byte order the version is impossibly high.
  const isLittle = view.getUint32(WHOLE.length, true) <= VERSION;
  const numberAt = (at: number): number => view.getUint32(WHOLE.length + 4 * at, isLittle);
  const [version, dataBytes, wasRunning] = [numberAt(0), numberAt(1), numberAt(2)];
  const [format, cookieAt] = [numberAt(3), numberAt(4)];
  if (version > VERSION) throw broken(`image version is not supported (${version} > ${VERSION})`);
  if (dataBytes === 0 || dataBytes > MOST_XML_BYTES || cookieAt > dataBytes)
    throw broken(`invalid header data length: ${dataBytes}`);
  if (format !== 0) throw compressed(FORMATS[format] ?? String(format));
  return { dataBytes, wasRunning: wasRunning !== 0, cookieAt, isLittle, isWhole };
}

function broken(message: string): SvirtError {
  return new SvirtError(`operation failed: ${message}`, {
    kind: "failed",
    libvirt: "OPERATION_FAILED",
    remedy: "Name a complete file written by svirt save or virsh save.",
  });
}

function cookieRefusal(): SvirtError {
  return new SvirtError("operation failed: libvirt's cookie is in the save image", {
    kind: "unsupported",
    libvirt: "OPERATION_FAILED",
    remedy: "Give the other XML when the domain is restored: svirt restore FILE --xml XML",
  });
}

function compressed(format: string): SvirtError {
  return new SvirtError(`operation failed: unsupported save image format: ${format}`, {
    kind: "unsupported",
    libvirt: "OPERATION_FAILED",
    remedy: 'Save the guest again with save_image_format = "raw" in /etc/libvirt/qemu.conf.',
  });
}

import { SvirtError } from "../../errors.ts";

/**
 * Header of the file of `save`, followed by XML, padding and QEMU's stream. qemu_saveimage.h of libvirt: virQEMUSaveHeader
 */
export interface SaveHead {
  /** The domain's definition, in its stored form. */
  readonly xml: string;
  /** Whether the vCPUs ran. If so, they run again after a restore. */
  readonly wasRunning: boolean;
}

/** A header that was read, and the offset of QEMU's stream. */
export interface FoundHead extends SaveHead {
  readonly streamAt: number;
}

const WHOLE = "LibvirtQemudSave";
const PARTIAL = "LibvirtQemudPart";
const VERSION = 2;
/** Magic, five used numbers and fourteen unused ones. */
export const HEAD_BYTES = 92;
/** Padding after the XML, so that a longer one fits. virQEMUSaveDataWrite() */
const PADDING_BYTES = 64 * 1024;
/** Upper bound of the XML, above the size of any definition. */
const MOST_XML_BYTES = 16 * 1024 * 1024;
const FORMATS = ["raw", "gzip", "bzip2", "xz", "lzop", "zstd", "sparse"];

/** Formats the file's beginning while QEMU still writes its stream. Its magic marks the file as incomplete to all tools. */
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
 * Returns the length of the XML with its padding and cookie, from the first HEAD_BYTES. Throws "failed" with libvirt's
 * message.
 */
export function parseSaveHead(head: Uint8Array): { readonly dataBytes: number } {
  const { dataBytes } = readNumbers(head);
  return { dataBytes };
}

/** Parses the header and the `dataBytes` after it. Throws "failed", "unsupported" with libvirt's message. */
export function parseSaveImage(head: Uint8Array, after: Uint8Array): FoundHead {
  const { cookieAt, dataBytes, wasRunning } = readNumbers(head);
  if (after.length !== dataBytes) throw broken("failed to read domain XML");
  const all = after.subarray(0, cookieAt === 0 ? dataBytes : cookieAt);
  const end = all.indexOf(0);
  const xml = new TextDecoder().decode(end < 0 ? all : all.subarray(0, end));
  return { xml, wasRunning, streamAt: HEAD_BYTES + dataBytes };
}

function readNumbers(head: Uint8Array) {
  if (head.length < HEAD_BYTES) throw broken("failed to read qemu header");
  const magic = new TextDecoder().decode(head.subarray(0, WHOLE.length));
  if (magic === PARTIAL) throw broken("save image is incomplete");
  if (magic !== WHOLE) throw broken("image magic is incorrect");
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
  return { dataBytes, wasRunning: wasRunning !== 0, cookieAt };
}

function broken(message: string): SvirtError {
  return new SvirtError(`operation failed: ${message}`, {
    kind: "failed",
    libvirt: "OPERATION_FAILED",
    remedy: "Name a complete file written by svirt save or virsh save.",
  });
}

function compressed(format: string): SvirtError {
  return new SvirtError(`operation failed: unsupported save image format: ${format}`, {
    kind: "unsupported",
    libvirt: "OPERATION_FAILED",
    remedy: 'Save the guest again with save_image_format = "raw" in /etc/libvirt/qemu.conf.',
  });
}

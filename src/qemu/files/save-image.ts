import { SvirtError } from "../../errors.ts";

/** The file that `save` leaves: head, XML, padding, QEMU's own stream. qemu_saveimage.h of libvirt: virQEMUSaveHeader */
export interface SaveHead {
  /** The domain's definition, as it would be stored. */
  readonly xml: string;
  /** Whether its vCPUs ran: then they run again once it is restored. */
  readonly wasRunning: boolean;
}

/** A head that was read, and where QEMU's stream begins. */
export interface FoundHead extends SaveHead {
  readonly streamAt: number;
}

const WHOLE = "LibvirtQemudSave";
const PARTIAL = "LibvirtQemudPart";
const VERSION = 2;
/** Magic, five numbers in use and fourteen that are not. */
export const HEAD_BYTES = 92;
/** After the XML, so that a longer one can take its place. virQEMUSaveDataWrite() */
const PADDING_BYTES = 64 * 1024;
/** More XML than any definition has. */
const MOST_XML_BYTES = 16 * 1024 * 1024;
const FORMATS = ["raw", "gzip", "bzip2", "xz", "lzop", "zstd", "sparse"];

/** The file's beginning while QEMU's stream is still being written after it: no tool takes it for a whole one. */
export function formatSaveHead({ wasRunning, xml }: SaveHead): Uint8Array {
  const text = new TextEncoder().encode(`${xml}\0`);
  const bytes = new Uint8Array(HEAD_BYTES + text.length + PADDING_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(PARTIAL));
  // In the order of this machine, as the reference does.
  for (const [at, number] of [VERSION, text.length + PADDING_BYTES, wasRunning ? 1 : 0].entries())
    view.setUint32(WHOLE.length + 4 * at, number, true);
  bytes.set(text, HEAD_BYTES);
  return bytes;
}

/** What is written over the file's first bytes once all of it is there. */
export function formatWholeMark(): Uint8Array {
  return new TextEncoder().encode(WHOLE);
}

/** How long the XML and all that belongs to it is, from the first HEAD_BYTES. Throws "failed" in libvirt's words. */
export function parseSaveHead(head: Uint8Array): { readonly dataBytes: number } {
  const { dataBytes } = readNumbers(head);
  return { dataBytes };
}

/** From the head and the bytes after it, as many as it says. Throws "failed", "unsupported" in libvirt's words. */
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
  // One that a machine of the other order has written is told by a version that there is not.
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
    remedy: "Name a file that svirt save, or virsh save, has written whole.",
  });
}

function compressed(format: string): SvirtError {
  return new SvirtError(`operation failed: unsupported save image format: ${format}`, {
    kind: "unsupported",
    remedy: 'Save it anew with save_image_format = "raw" in /etc/libvirt/qemu.conf.',
  });
}

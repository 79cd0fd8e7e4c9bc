import { SvirtError } from "../errors.ts";
import type { ImageHeader } from "./element.ts";
import { brokenHeader, type HeaderBytes, headerBytes } from "./header-bytes.ts";
import { parseQcow2Extensions, type Qcow2Extensions } from "./qcow2-extensions.ts";
import { EXTENDED_L2, LAZY_REFCOUNTS, type Qcow2Properties } from "./qcow2-features.ts";

const MAGIC = 0x514649fb;
const [VERSION_2_BYTES, VERSION_3_BYTES] = [72, 104];
const LONGEST_BACKING_NAME = 1023;

/** Bits of incompatible_features. A program must know each of them to open the image. */
const [CORRUPT, DATA_FILE, COMPRESSION] = [1n << 1n, 1n << 2n, 1n << 3n];
const KNOWN_FEATURES = 0x1fn;
/** Place of compatible_features. */
const COMPATIBLE_AT = 80;

interface Layout {
  readonly version: number;
  readonly clusterBytes: number;
  readonly headerBytes: number;
  readonly features: bigint;
}

/**
 * Reads a qcow2 header, version 2 or 3, with its extensions and the backing file's name. All lie in the first
 * cluster. Throws "failed" where QEMU would not open it, or if the bytes are cut off within the header;
 * "unsupported" for an incompatible feature that QEMU 10 does not know. qemu.git docs/interop/qcow2.rst
 */
export function parseQcow2Header(
  bytes: Uint8Array,
  { isCut }: { readonly isCut: boolean } = { isCut: false },
): ImageHeader {
  const read = headerBytes("qcow2", bytes, "big");
  // Extensions end with the file, but not where the bytes are cut off.
  const header = isCut ? { ...read, length: Number.MAX_SAFE_INTEGER } : read;
  const layout = parseLayout(header);
  const backingFile = parseBackingFile(header, layout);
  const extensions = parseQcow2Extensions(header, layout.headerBytes, extensionsEnd(header, layout));
  checkFeatures(layout.features, extensions);
  const encryption = parseEncryption(header.u32(32));
  return {
    format: "qcow2",
    virtualSizeBytes: header.u64(24),
    corrupt: (layout.features & CORRUPT) !== 0n,
    ...(backingFile === undefined ? {} : { backingFile }),
    ...(extensions.backingFormat === undefined ? {} : { backingFormat: extensions.backingFormat }),
    ...parseDataFile(layout.features, extensions),
    ...(encryption === undefined ? {} : { encryption }),
  };
}

/** Returns the options with which a qcow2 image would have been created. Throws as parseQcow2Header(). */
export function parseQcow2Options(bytes: Uint8Array): Qcow2Properties {
  const header = headerBytes("qcow2", bytes, "big");
  const { clusterBytes, features, version } = parseLayout(header);
  const compatible = version === 2 ? 0n : header.bits64(COMPATIBLE_AT);
  return {
    compat: version === 2 ? "0.10" : "1.1",
    clusterBytes,
    lazyRefcounts: (compatible & LAZY_REFCOUNTS) !== 0n,
    extendedL2: (features & EXTENDED_L2) !== 0n,
  };
}

function parseLayout(header: HeaderBytes): Layout {
  if (header.u32(0) !== MAGIC) throw brokenHeader("qcow2", "it does not begin with QFI\\xfb");
  const version = header.u32(4);
  if (version !== 2 && version !== 3) throw brokenHeader("qcow2", `its version is ${version}, not 2 or 3`);
  const clusterBits = header.u32(20);
  if (clusterBits < 9 || clusterBits > 21)
    throw brokenHeader("qcow2", `its clusters have 2^${clusterBits} bytes`);
  const clusterBytes = 2 ** clusterBits;
  if (version === 2) {
    header.u32(VERSION_2_BYTES - 4);
    return { version, clusterBytes, headerBytes: VERSION_2_BYTES, features: 0n };
  }
  const length = header.u32(100);
  if (length < VERSION_3_BYTES || length > clusterBytes || length % 8 !== 0) {
    throw brokenHeader("qcow2", `its header length is ${length}`);
  }
  const features = header.bits64(72);
  checkVersion3(header, length, features);
  return { version, clusterBytes, headerBytes: length, features };
}

function checkVersion3(header: HeaderBytes, length: number, features: bigint): void {
  if (header.u32(96) > 6) throw brokenHeader("qcow2", `its reference count order is ${header.u32(96)}`);
  const compression = length > VERSION_3_BYTES ? header.u8(104) : 0;
  if (compression > 1) {
    throw new SvirtError(`Cannot read the qcow2 header: compression type ${compression} is unknown`, {
      kind: "unsupported",
      remedy: "Convert the image with qemu-img convert -O qcow2.",
    });
  }
  if ((compression !== 0) !== ((features & COMPRESSION) !== 0n)) {
    throw brokenHeader("qcow2", "its compression type and its feature bits contradict each other");
  }
}

function parseBackingFile(header: HeaderBytes, layout: Layout): string | undefined {
  const [at, length] = [header.u64(8), header.u32(16)];
  if (at === 0) return undefined;
  if (length > LONGEST_BACKING_NAME)
    throw brokenHeader("qcow2", `its backing file's name has ${length} bytes`);
  if (at < layout.headerBytes || at + length > layout.clusterBytes) {
    throw brokenHeader("qcow2", `its backing file's name is declared at offset ${at}`);
  }
  return length === 0 ? undefined : header.text(at, length);
}

/** Extensions end at the backing file's name, or at the end of the cluster. */
function extensionsEnd(header: HeaderBytes, layout: Layout): number {
  const backingAt = header.u64(8);
  return backingAt === 0 ? layout.clusterBytes : backingAt;
}

function checkFeatures(features: bigint, extensions: Qcow2Extensions): void {
  const unknown = features & ~KNOWN_FEATURES;
  if (unknown === 0n) return;
  const bits = [...Array(64).keys()].filter((bit) => (unknown >> BigInt(bit)) & 1n);
  const names = bits.map((bit) => extensions.featureNames.get(bit) ?? `bit ${bit}`).join(", ");
  throw new SvirtError(`Cannot read the qcow2 header: it has unknown incompatible features: ${names}`, {
    kind: "unsupported",
    remedy: "Convert the image with a qemu-img that supports these features.",
  });
}

function parseDataFile(features: bigint, extensions: Qcow2Extensions): { readonly dataFile?: string } {
  if ((features & DATA_FILE) === 0n) return {};
  if (extensions.dataFile === undefined || extensions.dataFile === "") {
    throw brokenHeader("qcow2", "it has external data but names no data file");
  }
  return { dataFile: extensions.dataFile };
}

function parseEncryption(method: number): "aes" | "luks" | undefined {
  if (method === 0) return undefined;
  if (method === 1) return "aes";
  if (method === 2) return "luks";
  throw brokenHeader("qcow2", `its encryption method is ${method}`);
}

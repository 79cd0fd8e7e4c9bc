import { SvirtError } from "../errors.ts";
import type { ImageHeader } from "./element.ts";
import { brokenHeader, headerBytes } from "./header-bytes.ts";

const MAGIC = 0x00444551;
/** Feature bits with an effect on readers. */
const [HAS_BACKING, NEEDS_CHECK, BACKING_IS_RAW] = [1n << 0n, 1n << 1n, 1n << 2n];
const KNOWN_FEATURES = HAS_BACKING | NEEDS_CHECK | BACKING_IS_RAW;
const LONGEST_BACKING_NAME = 1023;

/**
 * Reads a header of QED, QEMU's older format; all numbers are little-endian. A feature bit says whether the
 * backing file is raw. Otherwise its format is not recorded. Throws "failed", "unsupported". qemu.git
 * docs/interop/qed_spec.rst
 */
export function parseQedHeader(bytes: Uint8Array): ImageHeader {
  const header = headerBytes("qed", bytes, "little");
  if (header.u32(0) !== MAGIC) throw brokenHeader("qed", "it does not begin with QED\\0");
  const features = header.bits64(16);
  if ((features & ~KNOWN_FEATURES) !== 0n) {
    throw new SvirtError(`Cannot read the qed header: it needs features 0x${features.toString(16)}`, {
      kind: "unsupported",
      remedy: "Convert the image with qemu-img convert -O qcow2.",
    });
  }
  const virtualSizeBytes = header.u64(48);
  if ((features & HAS_BACKING) === 0n) return { format: "qed", virtualSizeBytes };
  const [at, length] = [header.u32(56), header.u32(60)];
  const clusterBytes = header.u32(4) * header.u32(12);
  if (length === 0 || length > LONGEST_BACKING_NAME || at + length > clusterBytes) {
    throw brokenHeader("qed", `its backing file's name is declared at offset ${at}, with ${length} bytes`);
  }
  const backing = { backingFile: header.text(at, length), ...rawIf((features & BACKING_IS_RAW) !== 0n) };
  return { format: "qed", virtualSizeBytes, ...backing };
}

function rawIf(isRaw: boolean): { readonly backingFormat?: string } {
  return isRaw ? { backingFormat: "raw" } : {};
}

import { SvirtError } from "../errors.ts";

/** A file header's numbers, read with its bounds checked. */
export interface HeaderBytes {
  readonly length: number;
  u8(at: number): number;
  u32(at: number): number;
  /** Exact up to 2^53; a larger value is refused, since no file is that big. */
  u64(at: number): number;
  /** 64 bits of which each has its own meaning. */
  bits64(at: number): bigint;
  /** A file or format name: UTF-8 without NUL. */
  text(at: number, length: number): string;
}

/** Reads the numbers of a header. Every read beyond the end, and every bad name, throws "failed". */
export function headerBytes(format: string, bytes: Uint8Array, order: "big" | "little"): HeaderBytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = order === "little";
  const need = (at: number, length: number): number => {
    if (at + length <= bytes.length) return at;
    throw brokenHeader(format, `it ends at byte ${bytes.length}, inside a field at ${at}`);
  };
  return {
    length: bytes.length,
    u8: (at) => view.getUint8(need(at, 1)),
    u32: (at) => view.getUint32(need(at, 4), little),
    bits64: (at) => view.getBigUint64(need(at, 8), little),
    u64: (at) => {
      const value = view.getBigUint64(need(at, 8), little);
      if (value > BigInt(Number.MAX_SAFE_INTEGER))
        throw brokenHeader(format, `the number at ${at} is ${value}`);
      return Number(value);
    },
    text: (at, length) => decodeName(format, bytes.subarray(need(at, length), at + length)),
  };
}

/** The error for a header that breaks its format's rules. */
export function brokenHeader(format: string, what: string): SvirtError {
  return new SvirtError(`Cannot read the ${format} header: ${what}`, {
    kind: "failed",
    remedy: `Check the image with qemu-img check -f ${format}, or correct its type in the domain XML.`,
  });
}

function decodeName(format: string, bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text !== undefined && !text.includes("\0")) return text;
  throw brokenHeader(format, "a name in it is not UTF-8 text");
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

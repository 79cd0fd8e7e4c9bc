import { SvirtError } from "../errors.ts";

/** First byte outside ASCII. */
const ASCII_END = 0x80;

/** Fields of a file header, read with bounds checks. */
export interface HeaderBytes {
  readonly length: number;
  u8(at: number): number;
  u32(at: number): number;
  /** Exact up to 2^53; refuses a larger value, since no file is that large. */
  u64(at: number): number;
  /** 64 separate flags. */
  bits64(at: number): bigint;
  /** Name of a file or format: UTF-8 without NUL. */
  text(at: number, length: number): string;
}

/** Reads fields of a header. Throws "failed" for a read beyond the end and for a bad name. */
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

/** Returns the error for a header in violation of its format. */
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
  // A decoder takes longer than all other parts of a header, and there may be thousands of headers.
  if (bytes.every((byte) => byte < ASCII_END)) return String.fromCharCode(...bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

import { SvirtError } from "../../errors.ts";

/** Unit of XDR: each value takes a multiple of it. RFC 4506, section 3 */
export const UNIT_BYTES = 4;

/** Bytes to decode, and the place of the next value. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/**
 * Returns the next bytes and their padding without the padding, as a view. Throws as undecodable() if fewer
 * are left.
 */
export function takeBytes(from: Cursor, count: number): Uint8Array {
  const end = from.at + count;
  const next = from.at + paddedLength(count);
  if (next > from.bytes.length) throw undecodable();
  const taken = from.bytes.subarray(from.at, end);
  from.at = next;
  return taken;
}

/** Returns the next bytes for the methods of DataView. Throws as takeBytes() does. */
export function takeView(from: Cursor, count: number): DataView {
  const { buffer, byteOffset } = takeBytes(from, count);
  return new DataView(buffer, byteOffset, count);
}

/** Returns how many bytes are left. */
export function leftBytes({ at, bytes }: Cursor): number {
  return bytes.length - at;
}

/** Returns the bytes with zeros up to a multiple of the unit. */
export function padded(bytes: Uint8Array): Uint8Array {
  const length = paddedLength(bytes.length);
  if (length === bytes.length) return bytes;
  const whole = new Uint8Array(length);
  whole.set(bytes);
  return whole;
}

function paddedLength(count: number): number {
  return Math.ceil(count / UNIT_BYTES) * UNIT_BYTES;
}

/** Returns the error of bytes that do not have the declared form. virNetMessageDecodePayload() of libvirt */
export function undecodable(cause?: unknown): SvirtError {
  return new SvirtError("Unable to decode message payload", {
    cause,
    kind: "failed",
    libvirt: "RPC",
    remedy: "Use a client of libvirt that sends what libvirt's remote protocol declares.",
  });
}

/** Returns the error of a value that the protocol cannot carry. virNetMessageEncodePayload() of libvirt */
export function unencodable(): SvirtError {
  return new SvirtError("Unable to encode message payload", {
    kind: "failed",
    libvirt: "RPC",
    remedy: "Ask for less at once, or use svirt on the node.",
  });
}

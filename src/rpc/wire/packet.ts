import type { ValueOf } from "../xdr/form.ts";
import { int, struct, uint } from "../xdr/form.ts";

// Rule: A packet of a client has at most 32 MiB.

/**
 * Bytes of the length at the beginning of a packet, which it includes. VIR_NET_MESSAGE_LEN_MAX of libvirt's
 * virnetprotocol.x
 */
export const LENGTH_BYTES = 4;
/** Longest packet, with its length. VIR_NET_MESSAGE_MAX of libvirt's virnetprotocol.x, and the length */
export const MOST_PACKET_BYTES = 33_554_432 + LENGTH_BYTES;

/** Header of each packet. virNetMessageHeader of libvirt's virnetprotocol.x */
const header = struct({
  program: uint,
  version: uint,
  procedure: int,
  type: int,
  serial: uint,
  status: int,
});
export type PacketHeader = ValueOf<typeof header>;

/** Memory of a waiting packet, beside its payload. */
export const PACKET_BYTES = 256;

/** Shortest packet: its length and header. */
export const LEAST_PACKET_BYTES = LENGTH_BYTES + header.leastBytes;

/** REMOTE_PROGRAM and REMOTE_PROTOCOL_VERSION of libvirt's remote_protocol.x */
export const REMOTE = { program: 0x20_00_80_86, version: 1 } as const;
/** QEMU_PROGRAM and QEMU_PROTOCOL_VERSION of libvirt's qemu_protocol.x */
export const QEMU = { program: 0x20_00_80_87, version: 1 } as const;
/** virNetMessageType of libvirt's virnetprotocol.x */
export const PACKET_TYPE = { call: 0, reply: 1, message: 2, stream: 3, hole: 6 } as const;
/** virNetMessageStatus of libvirt's virnetprotocol.x */
export const PACKET_STATUS = { ok: 0, error: 1, continue: 2 } as const;

/** A packet: its header and the bytes after it. */
export interface Packet {
  readonly header: PacketHeader;
  readonly payload: Uint8Array;
  /** The payload was longer than svirt keeps. */
  readonly isCut?: true;
}

/** Returns the bytes of a packet with its length; undefined if that exceeds the limit. */
export function formatPacket(facts: PacketHeader, payload: readonly Uint8Array[]): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  header.encode(facts, parts);
  for (const part of payload) parts.push(part);
  const total = parts.reduce((sum, { length }) => sum + length, LENGTH_BYTES);
  if (total > MOST_PACKET_BYTES) return undefined;
  const bytes = new Uint8Array(total);
  new DataView(bytes.buffer).setUint32(0, total);
  let at = LENGTH_BYTES;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Reads a whole packet of at least LEAST_PACKET_BYTES. */
export function parsePacket(bytes: Uint8Array): Packet {
  const from = { bytes, at: LENGTH_BYTES };
  const facts = header.decode(from);
  return { header: facts, payload: bytes.subarray(from.at) };
}

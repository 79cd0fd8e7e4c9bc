import { SvirtError } from "../../errors.ts";
import { LEAST_PACKET_BYTES, LENGTH_BYTES, MOST_PACKET_BYTES, type Packet, parsePacket } from "./packet.ts";

/**
 * Yields the packets of a connection until it ends; half a packet at its end is dropped. Keeps only bytes that have arrived,
 * whatever length the packet announces. Throws "failed" for a length that the protocol does not allow: libvirtd then ends
 * the connection too. virNetServerClientDispatchRead() of libvirt
 */
export async function* readPackets(source: AsyncIterable<Uint8Array>): AsyncGenerator<Packet> {
  let parts: Uint8Array[] = [];
  let kept = 0;
  for await (const chunk of source) {
    parts.push(chunk);
    kept += chunk.length;
    if ((parts[0]?.length ?? 0) < LENGTH_BYTES) parts = [joined(parts, kept)];
    let wanted = lengthOf(parts[0] ?? chunk);
    if (kept < wanted) continue;
    const bytes = joined(parts, kept);
    let at = 0;
    for (; bytes.length - at >= wanted; wanted = lengthOf(bytes.subarray(at))) {
      yield parsePacket(bytes.subarray(at, at + wanted));
      at += wanted;
    }
    parts = [bytes.subarray(at)];
    kept = bytes.length - at;
  }
}

/** Returns the length that a packet announces; without its length, the shortest. Throws "failed". */
function lengthOf(bytes: Uint8Array): number {
  if (bytes.length < LENGTH_BYTES) return LEAST_PACKET_BYTES;
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getUint32(0);
  if (length >= LEAST_PACKET_BYTES && length <= MOST_PACKET_BYTES) return length;
  throw new SvirtError(`Cannot read the client's packet: its length is ${length} bytes`, {
    kind: "failed",
    libvirt: "RPC",
    remedy: "Connect with a client of libvirt: virsh -c qemu+ssh://NODE/system",
  });
}

function joined(parts: readonly Uint8Array[], total: number): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

import { SvirtError } from "../../errors.ts";
import { LEAST_PACKET_BYTES, LENGTH_BYTES, MOST_PACKET_BYTES, type Packet, parsePacket } from "./packet.ts";

/** Size of an empty buffer, to which it returns after a long packet. VIR_NET_MESSAGE_INITIAL of libvirt */
const INITIAL_BYTES = 65_536;

/**
 * Yields the packets of a connection until it ends; half a packet at its end is dropped. Memory grows with the bytes that have
 * arrived, whatever length a packet announces and in however many pieces it comes. Throws "failed" for a length that the
 * protocol does not allow: libvirtd then ends the connection too. virNetServerClientDispatchRead() of libvirt
 */
export async function* readPackets(source: AsyncIterable<Uint8Array>): AsyncGenerator<Packet> {
  let buffer: Uint8Array = new Uint8Array(INITIAL_BYTES);
  let end = 0;
  for await (const chunk of source) {
    buffer = withRoom(buffer, end, chunk.length);
    buffer.set(chunk, end);
    end += chunk.length;
    let at = 0;
    let length = lengthOf(buffer.subarray(at, end));
    while (end - at >= length) {
      yield parsePacket(buffer.slice(at, at + length));
      at += length;
      length = lengthOf(buffer.subarray(at, end));
    }
    const rest = buffer.subarray(at, end);
    if (buffer.length > INITIAL_BYTES && rest.length < INITIAL_BYTES) buffer = new Uint8Array(INITIAL_BYTES);
    buffer.set(rest);
    end = rest.length;
  }
}

/** Returns the buffer, or one of twice the size with its bytes, if more bytes do not fit. */
function withRoom(buffer: Uint8Array, end: number, more: number): Uint8Array {
  if (end + more <= buffer.length) return buffer;
  const larger = new Uint8Array(Math.max(2 * buffer.length, end + more));
  larger.set(buffer.subarray(0, end));
  return larger;
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

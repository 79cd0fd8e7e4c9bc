import { SvirtError } from "../../errors.ts";
import { LEAST_PACKET_BYTES, LENGTH_BYTES, MOST_PACKET_BYTES, type Packet, parsePacket } from "./packet.ts";

/** Room for a packet before more of it arrives. */
const INITIAL_BYTES = 4096;
/**
 * Most bytes of a packet that are kept: a text of the longest kind, REMOTE_STRING_MAX of libvirt's
 * remote_protocol.x, and other arguments. A longer packet does not decode.
 */
const MOST_KEPT_BYTES = 4_194_304 + 65_536;

/**
 * Yields the packets of a connection until it ends; half a packet at its end is dropped. Memory grows with
 * the arrived bytes, whatever length a packet announces and in however many pieces it comes, and no further
 * than the longest arguments. Throws "failed" for a length forbidden by the protocol: libvirtd then ends the
 * connection too. virNetServerClientDispatchRead() of libvirt
 */
export async function* readPackets(source: AsyncIterable<Uint8Array>): AsyncGenerator<Packet> {
  let next = new PartialPacket();
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      at += next.take(chunk.subarray(at));
      if (!next.isWhole) continue;
      const packet = parsePacket(next.bytes);
      yield next.isCut ? { ...packet, isCut: true } : packet;
      next = new PartialPacket();
    }
  }
}

/** An incomplete packet. */
class PartialPacket {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #arrived = 0;
  #length: number | undefined;

  get isWhole(): boolean {
    return this.#arrived === this.#length;
  }

  get isCut(): boolean {
    return this.#arrived > MOST_KEPT_BYTES;
  }

  /** Kept bytes. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, Math.min(this.#arrived, MOST_KEPT_BYTES));
  }

  /** Takes bytes up to the end of the packet or of its length, and returns how many. Throws as lengthOf(). */
  take(chunk: Uint8Array): number {
    const count = Math.min(chunk.length, (this.#length ?? LENGTH_BYTES) - this.#arrived);
    const kept = Math.min(count, Math.max(0, MOST_KEPT_BYTES - this.#arrived));
    if (kept > 0) this.#keep(chunk.subarray(0, kept));
    this.#arrived += count;
    if (this.#arrived === LENGTH_BYTES) this.#length = lengthOf(this.#bytes);
    return count;
  }

  #keep(bytes: Uint8Array): void {
    const end = this.#arrived + bytes.length;
    if (end > this.#bytes.length) {
      const most = Math.min(MOST_KEPT_BYTES, this.#length ?? INITIAL_BYTES);
      const larger = new Uint8Array(Math.min(most, Math.max(2 * this.#bytes.length, end)));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#arrived);
  }
}

/** Returns the announced length of a packet. Throws "failed". */
function lengthOf(bytes: Uint8Array): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getUint32(0);
  if (length >= LEAST_PACKET_BYTES && length <= MOST_PACKET_BYTES) return length;
  throw new SvirtError(`Cannot read the client's packet: its length is ${length} bytes`, {
    kind: "failed",
    libvirt: "RPC",
    remedy: "Connect with a client of libvirt: virsh -c qemu+ssh://NODE/system",
  });
}

import { asSvirtError, SvirtError } from "../../errors.ts";
import type { DataStream, Piece } from "../../host/channels.ts";
import { protocolError } from "../procedures/procedure.ts";
import {
  formatPacket,
  PACKET_BYTES,
  PACKET_STATUS,
  PACKET_TYPE,
  type Packet,
  type PacketHeader,
} from "../wire/packet.ts";
import { formatError } from "../wire/remote-error.ts";
import { leftBytes, undecodable } from "../xdr/bytes.ts";
import { hyper, struct, uint } from "../xdr/form.ts";

/**
 * Most bytes of data in a packet to the client. VIR_NET_MESSAGE_LEGACY_PAYLOAD_MAX of libvirt's
 * virnetprotocol.x
 */
const MOST_SENT_BYTES = 262_120;
/** Data from the client that waits for its turn. With more, the client waits too. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** Time for data that a guest has not read when the client leaves its console. */
const LEAVING_MS = 1000;

/** virNetStreamHole of libvirt's virnetprotocol.x */
const streamHole = struct({ length: hyper, flags: uint });

/** The connection's side of a stream. */
interface Connection {
  /** Returns once the packet is written. */
  send(packet: Uint8Array | undefined): Promise<void>;
  sleep(ms: number): Promise<void>;
  /** Called when the stream is over: packets for it are ignored from then on. */
  onOver(): void;
}

/**
 * Stream between a client and svirt, which a call has opened. Its faults end nothing else. daemonClientStream
 * of libvirt
 */
export class ClientStream {
  readonly #call: PacketHeader;
  readonly #stream: DataStream;
  readonly #isSparse: boolean;
  readonly #connection: Connection;
  /** End of the work on the packets so far. */
  #last: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  #isOver = false;
  /** The client has finished: nothing more of it is taken. */
  #isFinishing = false;
  /** No more data comes from svirt. */
  #hasEnded = false;

  constructor(
    call: PacketHeader,
    { isSparse, stream }: { readonly stream: DataStream; readonly isSparse: boolean },
    connection: Connection,
  ) {
    this.#call = call;
    this.#stream = stream;
    this.#isSparse = isSparse;
    this.#connection = connection;
  }

  /**
   * Sends data until the end. At most a single packet waits to be written, however slowly the client reads.
   */
  async send(): Promise<void> {
    try {
      while (this.#stream.next !== undefined && !this.#hasEnded && !this.#isOver) {
        const piece = await this.#stream.next(MOST_SENT_BYTES);
        if (this.#isOver) return;
        this.#hasEnded = piece === undefined;
        // An empty packet is the end.
        await this.#sendPiece(piece ?? new Uint8Array());
      }
    } catch (error) {
      await this.#fail(error);
    }
  }

  /** Takes a packet of the client, and returns once there is room for another. Never throws. */
  async take(packet: Packet): Promise<void> {
    if (this.#isOver) return;
    const { status } = packet.header;
    // Not in turn: waiting data is dropped.
    if (status !== PACKET_STATUS.ok && status !== PACKET_STATUS.continue) return await this.#abort(status);
    if (this.#isFinishing) return;
    if (status === PACKET_STATUS.ok) return this.#finish();
    const bytes = packet.payload.length + PACKET_BYTES;
    this.#waitingBytes += bytes;
    this.#last = this.#last.then(async () => {
      await this.#put(packet);
      this.#waitingBytes -= bytes;
    });
    if (this.#waitingBytes > MOST_WAITING_BYTES) await this.#last;
  }

  /** Ends the stream with its connection. */
  async end(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      await this.#stream.close();
    } finally {
      this.#connection.onOver();
    }
  }

  async #put(packet: Packet): Promise<void> {
    if (this.#isOver) return;
    try {
      const piece = this.#pieceOf(packet);
      if (piece instanceof Uint8Array && piece.length === 0) return;
      if (this.#stream.put === undefined) throw protocolError("Unexpected stream data");
      // The other side has ended, and the client does not know yet.
      if (!this.#hasEnded) await this.#stream.put(piece);
    } catch (error) {
      await this.#fail(error);
    }
  }

  #pieceOf({ header, isCut, payload }: Packet): Piece {
    if (isCut === true) throw undecodable();
    if (header.type === PACKET_TYPE.stream) return payload;
    if (!this.#isSparse) throw protocolError("Unexpected stream hole");
    const from = { bytes: payload, at: 0 };
    const { flags, length } = streamHole.decode(from);
    if (leftBytes(from) > 0) throw undecodable();
    if (flags !== 0)
      throw badHole(`unsupported flags (0x${flags.toString(16)}) in function virFDStreamSendHole`);
    if (length <= 0n) {
      throw badHole("invalid argument: length in virFDStreamSendHole must be greater than zero");
    }
    return { holeBytes: Number(length) };
  }

  /** Confirms the client's end once all data is where it belongs. daemonStreamHandleFinish() of libvirt */
  #finish(): void {
    const { finish } = this.#stream;
    this.#isFinishing = true;
    // A guest without reads must not delay the user.
    const done = finish === undefined ? this.#leave() : this.#last;
    this.#last = done.then(async () => {
      if (this.#isOver) return;
      try {
        await finish?.call(this.#stream);
        if (this.#isOver) return;
        await this.end();
        await this.#sendPacket(PACKET_STATUS.ok, []);
      } catch (error) {
        await this.#fail(error);
      }
    });
  }

  async #leave(): Promise<void> {
    if (this.#waitingBytes > 0) await Promise.race([this.#last, this.#connection.sleep(LEAVING_MS)]);
  }

  /** daemonStreamHandleAbort() of libvirt */
  async #abort(status: number): Promise<void> {
    if (status !== PACKET_STATUS.error) {
      return await this.#fail(protocolError(`stream aborted with unexpected status ${status}`));
    }
    await this.end();
    void this.#sendPacket(PACKET_STATUS.ok, []);
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#isOver) return;
    await this.end();
    void this.#sendPacket(PACKET_STATUS.error, formatError(asSvirtError(error)));
  }

  async #sendPiece(piece: Piece): Promise<void> {
    if (piece instanceof Uint8Array) return await this.#sendPacket(PACKET_STATUS.continue, [piece]);
    const parts: Uint8Array[] = [];
    streamHole.encode({ length: BigInt(piece.holeBytes), flags: 0 }, parts);
    await this.#sendPacket(PACKET_STATUS.continue, parts, PACKET_TYPE.hole);
  }

  async #sendPacket(
    status: number,
    payload: readonly Uint8Array[],
    type: number = PACKET_TYPE.stream,
  ): Promise<void> {
    await this.#connection.send(formatPacket({ ...this.#call, type, status }, payload));
  }
}

function badHole(message: string): SvirtError {
  return new SvirtError(message, {
    kind: "usage",
    from: "STREAMS",
    remedy: "Use a client of libvirt that sends what libvirt's remote protocol declares.",
  });
}

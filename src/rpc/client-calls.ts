import type { SvirtError } from "../errors.ts";
import { PACKET_BYTES, type Packet, REMOTE } from "./wire/packet.ts";

// Rule: A client has at most 5 calls at work, of them one with large arguments, and 64 waiting.

/** Most calls of a client that are carried out at once. max_client_requests of libvirt's libvirtd.conf */
const MOST_CALLS = 5;
/** Calls waiting for their turn. With more, the client waits too. */
const MOST_WAITING_CALLS = 64;
const MOST_WAITING_BYTES = 1024 * 1024;
const LARGE_BYTES = 128 * 1024;
/** REMOTE_PROC_CONNECT_CLOSE of libvirt's remote_protocol.x */
const CONNECT_CLOSE = 2;

/** Work on a call. */
interface Work {
  /**
   * Makes the call ready to begin. Returns the error as its answer instead; undefined without an error. Never
   * throws.
   */
  load(packet: Packet): Promise<SvirtError | undefined>;
  /** Carries out the call, which begins before this returns, or answers it with the error. Never throws. */
  carryOut(packet: Packet, failure: SvirtError | undefined): Promise<void>;
}

/** Calls of a client, begun in the order of their arrival. */
export class ClientCalls {
  readonly #work: Work;
  /** Calls under way. */
  readonly #open = new Set<Promise<void>>();
  /** The last call with a large payload: the next one begins after its end, and its memory is free then. */
  #large: Promise<void> = Promise.resolve();
  /** Beginning of the last call. */
  #last: Promise<void> = Promise.resolve();
  #waitingCalls = 0;
  #waitingBytes = 0;

  constructor(work: Work) {
    this.#work = work;
  }

  /**
   * Takes a call, and returns once another packet may be read. Some calls may wait meanwhile, also for their
   * procedures to be loaded: a keepalive behind them is answered. The call that closes the connection has
   * begun then.
   */
  async take(packet: Packet): Promise<void> {
    const bytes = packet.payload.length + PACKET_BYTES;
    this.#waitingCalls += 1;
    this.#waitingBytes += bytes;
    this.#last = this.#last.then(async () => {
      if (this.#open.size >= MOST_CALLS) await Promise.race(this.#open);
      if (isLarge(packet)) await this.#large;
      const failure = await this.#work.load(packet);
      this.#waitingCalls -= 1;
      this.#waitingBytes -= bytes;
      this.#begin(packet, failure);
    });
    if (closesConnection(packet) || !this.#hasRoom()) await this.#last;
  }

  /** Returns once all calls are carried out. */
  async ended(): Promise<void> {
    await this.#last;
    await Promise.allSettled(this.#open);
  }

  #begin(packet: Packet, failure: SvirtError | undefined): void {
    const call = this.#work.carryOut(packet, failure).finally(() => this.#open.delete(call));
    this.#open.add(call);
    if (isLarge(packet)) this.#large = call;
  }

  #hasRoom(): boolean {
    return this.#waitingCalls < MOST_WAITING_CALLS && this.#waitingBytes < MOST_WAITING_BYTES;
  }
}

/** Whether a call takes much memory: XML takes many times its length while it is read. */
export function isLarge({ payload }: Packet): boolean {
  return payload.length >= LARGE_BYTES;
}

/** Whether a call is the client's last. */
export function closesConnection({ header: { procedure, program } }: Packet): boolean {
  return program === REMOTE.program && procedure === CONNECT_CLOSE;
}

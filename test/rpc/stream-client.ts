import type { Instance } from "../../src/state/instance.ts";
import type { Machine } from "../memory-host/machine.ts";
import { nodeOn } from "../scenes/scene.ts";
import { call, opening, RemoteClient, type Reply, serve, text, word } from "./remote-client.ts";

// Streams of libvirt's protocol, from virnetprotocol.x: VIR_NET_STREAM and VIR_NET_STREAM_HOLE; VIR_NET_OK,
// _ERROR and _CONTINUE.

export const [STREAM, HOLE] = [3, 6];
export const [OK, ERROR, CONTINUE] = [0, 1, 2];
/** REMOTE_PROC_DOMAIN_OPEN_CONSOLE and others of remote_protocol.x */
export const [CONSOLE, UPLOAD, DOWNLOAD, SCREENSHOT, CHANNEL] = [201, 208, 209, 211, 296];
/** VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM and VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM */
export const SPARSE = 1;

/** Time for packets: a busy machine loads the files of a call slowly. */
const MOST_MS = 20_000;

/** Returns a number of 64 bits. */
export function long(value: number | bigint): string {
  return BigInt.asUintN(64, BigInt(value)).toString(16).padStart(16, "0");
}

/** Returns the arguments of an upload or download of a volume of the pool of makePoolMachine(). */
export function partOf(
  name: string,
  { flags = 0, length = 0n, offset = 0n }: { flags?: number; length?: bigint; offset?: bigint } = {},
): string {
  return text("images") + text(name) + text("") + long(offset) + long(length) + word(flags);
}

/** Returns a packet of the stream that a procedure has opened; its serial number is that of call(). */
export function data(procedure: number, payload: string, status = CONTINUE): string {
  return call(procedure, payload, { type: STREAM, status });
}

/** Returns a hole in such a stream. */
export function hole(procedure: number, length: number | bigint, flags = 0): string {
  return call(procedure, long(length) + word(flags), { type: HOLE, status: CONTINUE });
}

/** An open connection. */
export class StreamClient extends RemoteClient {
  readonly #end: Promise<void>;

  constructor(instance: Instance) {
    super();
    this.#end = serve(instance, this);
    this.send(opening());
  }

  /** Returns the packets after those of the opening, once they are as many. */
  async packets(count: number): Promise<Reply[]> {
    const end = performance.now() + MOST_MS;
    while (this.replies().length < count + 2 && performance.now() < end) await settled();
    return this.replies().slice(2);
  }

  /** Closes the connection, and waits until svirt has left it. */
  async leave(): Promise<void> {
    this.close();
    await this.#end;
  }
}

/** Opens a connection to a machine, and sends packets. */
export function connect(machine: Machine, packets: string): StreamClient {
  const client = new StreamClient(nodeOn(machine));
  client.send(packets);
  return client;
}

/** Gives svirt time for all that does not wait. */
export async function settled(): Promise<void> {
  for (let at = 0; at < 20; at += 1) await new Promise((resolve) => setImmediate(resolve));
}

import type { ByteStream } from "../../src/host/channels.ts";
import { serveClient } from "../../src/rpc/serve.ts";
import type { Instance } from "../../src/state/instance.ts";

// A client of libvirt's protocol, written from remote_protocol.x and RFC 4506 without the forms of src/rpc.

const REMOTE = 0x20_00_80_86;
const HEADER_BYTES = 28;

/** A reply: its serial and status, and the bytes after its header. */
export interface Reply {
  readonly procedure: number;
  /** virNetMessageType: 1 for a reply, 3 for data of a stream, 6 for a hole. */
  readonly type: number;
  readonly serial: number;
  readonly status: number;
  readonly payload: string;
}

/** Error in a reply. */
export interface ReplyError {
  readonly code: number;
  readonly domain: number;
  readonly message: string;
}

/** Returns a number of 32 bits in hexadecimal digits. */
export function word(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}

/** Returns a number of 64 bits in hexadecimal digits. */
export function long(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16).padStart(16, "0");
}

/** Returns a text that may be missing. */
export function maybe(value: string | undefined): string {
  return value === undefined ? word(0) : word(1) + text(value);
}

/** Returns a text with its length and padding in hexadecimal digits. */
export function text(value: string): string {
  const hex = Buffer.from(value).toString("hex");
  return word(hex.length / 2) + hex.padEnd(Math.ceil(hex.length / 8) * 8, "0");
}

/** Returns a domain: name, UUID and id, which is -1 if it is off. */
export function domain(name: string, uuid: string, id = -1): string {
  return text(name) + uuid.replaceAll("-", "") + word(id);
}

/** Returns the packet of a call. */
export function call(
  procedure: number,
  payload = "",
  facts: { program?: number; serial?: number; type?: number; status?: number } = {},
): string {
  const { program = REMOTE, serial = procedure, status = 0, type = 0 } = facts;
  const body = word(program) + word(1) + word(procedure) + word(type) + word(serial) + word(status) + payload;
  return word(body.length / 2 + 4) + body;
}

/** Packets by which a client opens a connection. */
export function opening(flags = 0, name = "qemu:///system"): string {
  return call(66) + call(1, word(1) + text(name) + word(flags));
}

/** A connection whose ends the test holds. */
export class RemoteClient implements ByteStream {
  readonly #sent: Uint8Array[] = [];
  #received = "";
  #isClosed = false;
  #wake: () => void = () => undefined;

  send(hex: string): void {
    this.#sent.push(Uint8Array.fromHex(hex));
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** Number of packets that svirt has not read. */
  get unread(): number {
    return this.#sent.length;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#sent.shift();
      if (next !== undefined) yield next;
      else if (this.#isClosed) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#received += bytes.toHex();
  }

  /** Returns the packets that have arrived. */
  replies(): Reply[] {
    const replies: Reply[] = [];
    for (let rest = this.#received; rest !== ""; ) {
      const length = Number.parseInt(rest.slice(0, 8), 16) * 2;
      const at = (n: number): number => Number.parseInt(rest.slice(n * 8, n * 8 + 8), 16);
      replies.push({
        procedure: at(3),
        type: at(4),
        serial: at(5),
        status: at(6),
        payload: rest.slice(HEADER_BYTES * 2, length),
      });
      rest = rest.slice(length);
    }
    return replies;
  }
}

/** How a client's command is called, and who gets the warnings. */
interface ClientFacts {
  readonly isForReading?: boolean;
  readonly uri?: string;
  warn?(problem: Error | string): void;
}

/** Serves a client that sends these packets and closes the connection. Returns the replies. */
export async function served(instance: Instance, packets: string, facts: ClientFacts = {}): Promise<Reply[]> {
  const client = new RemoteClient();
  client.send(packets);
  client.close();
  await serve(instance, client, facts);
  return client.replies();
}

/** Serves a client until it closes the connection. */
export async function serve(
  { host, ...instance }: Instance,
  client: RemoteClient,
  facts: ClientFacts = {},
): Promise<void> {
  const { isForReading = false, uri = "", warn = () => undefined } = facts;
  const caller = { ...instance, host: { ...host, openCaller: async () => client } };
  await serveClient({ instance: caller, uri, isForReading, warn });
}

/** Returns the last reply to packets after those that open the connection. */
export async function asked(instance: Instance, packet: string, flags = 0): Promise<Reply> {
  const [reply] = (await served(instance, opening(flags) + packet)).slice(2);
  if (reply === undefined) throw new Error("There is no reply");
  return reply;
}

/** Returns the error of a reply: code, domain and message. virNetMessageError of libvirt */
export function errorIn({ payload, status }: Reply): ReplyError | undefined {
  if (status !== 1) return undefined;
  const bytes = Buffer.from(payload, "hex");
  const length = bytes.readUInt32BE(12);
  return {
    code: bytes.readInt32BE(0),
    domain: bytes.readInt32BE(4),
    message: bytes.subarray(16, 16 + length).toString(),
  };
}

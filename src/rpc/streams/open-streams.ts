import type { OpenedStream, Session } from "../procedures/procedure.ts";
import { PACKET_TYPE, type Packet, type PacketHeader } from "../wire/packet.ts";
import { ClientStream } from "./client-stream.ts";

/** Open streams of a connection, by their calls. */
export class OpenStreams {
  readonly #session: Session;
  readonly #send: (packet: Uint8Array | undefined) => Promise<void>;
  readonly #open = new Map<string, ClientStream>();
  #isEnded = false;

  constructor(session: Session, send: (packet: Uint8Array | undefined) => Promise<void>) {
    this.#session = session;
    this.#send = send;
  }

  /**
   * Adds a call's stream, and returns the function to let it send, after the call's reply. A stream of an
   * earlier call with the same serial number ends.
   */
  async add(call: PacketHeader, opened: OpenedStream): Promise<() => Promise<void>> {
    const key = keyOf(call);
    for (let old = this.#open.get(key); old !== undefined; old = this.#open.get(key)) await old.end();
    const { host } = this.#session.instance;
    const stream: ClientStream = new ClientStream(call, opened, {
      send: this.#send,
      sleep: (ms) => host.sleep(ms),
      onOver: () => {
        this.#session.streams -= 1;
        if (this.#open.get(key) === stream) this.#open.delete(key);
      },
    });
    this.#session.streams += 1;
    this.#open.set(key, stream);
    if (this.#isEnded) await stream.end();
    return () => stream.send();
  }

  /**
   * Takes a packet of the client, and returns once another may be read. A packet of another type, or without
   * an open stream, is ignored, as by libvirtd.
   */
  async take(packet: Packet): Promise<void> {
    const { type } = packet.header;
    if (type !== PACKET_TYPE.stream && type !== PACKET_TYPE.hole) return;
    await this.#open.get(keyOf(packet.header))?.take(packet);
  }

  /** Ends all streams with the connection, and streams still to be opened by calls. */
  async end(): Promise<void> {
    this.#isEnded = true;
    await Promise.all([...this.#open.values()].map((stream) => stream.end()));
  }
}

function keyOf({ procedure, program, serial, version }: PacketHeader): string {
  return [program, version, procedure, serial].join(" ");
}

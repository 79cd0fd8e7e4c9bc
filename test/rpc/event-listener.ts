import { expect } from "bun:test";
import type { Machine } from "../memory-host/machine.ts";
import { nodeOn } from "../scenes/scene.ts";
import { opening, RemoteClient, type Reply, serve } from "./remote-client.ts";

const MOST_MS = 20_000;

/** Waits until it is true. */
export async function until(isTrue: () => boolean): Promise<void> {
  for (const end = performance.now() + MOST_MS; !isTrue(); ) {
    if (performance.now() > end) throw new Error("what the test waits for does not happen");
    await Bun.sleep(1);
  }
}

/** A client that has opened a connection and registered. */
export class Listener extends RemoteClient {
  readonly machine: Machine;
  readonly #served: Promise<void>;
  readonly #skipped: number;

  private constructor(machine: Machine, registrations: string, count: number) {
    super();
    this.machine = machine;
    this.send(opening(1) + registrations);
    this.#skipped = 2 + count;
    this.#served = serve(nodeOn(machine), this);
  }

  /** Connects for reading, which suffices for events. */
  static async on(machine: Machine, registrations: string, count = 1): Promise<Listener> {
    const made = new Listener(machine, registrations, count);
    await until(() => made.replies().length >= made.#skipped);
    return made;
  }

  /** Returns the packets after the replies to the registrations, once there are so many. */
  async packets(count: number): Promise<Reply[]> {
    await until(() => this.replies().length >= this.#skipped + count);
    return this.replies().slice(this.#skipped);
  }

  /** Returns procedure and payload of the messages. Each is one of libvirtd's: of serial 1, and no error. */
  async messages(count: number): Promise<(readonly [number, string])[]> {
    const packets = await this.packets(count);
    for (const { serial, status } of packets) expect([serial, status]).toEqual([1, 0]);
    return packets.map(({ payload, procedure }) => [procedure, payload] as const);
  }

  async end(): Promise<void> {
    this.close();
    await this.#served;
    expect(this.machine.watchedFolders.size).toBe(0);
  }
}

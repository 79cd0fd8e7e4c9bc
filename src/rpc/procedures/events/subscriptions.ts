import { asSvirtError, SvirtError } from "../../../errors.ts";
import type { Instance } from "../../../state/instance.ts";
import { type EventKind, isDeviceKind } from "../../../vm/events/event-kind.ts";
import type { EventWatch, HappenedEvent } from "../../../vm/events/watch-events.ts";
import type { EventMessage } from "./event-message.ts";

/** Most registrations of a connection: each event is sent once for each. */
const MOST = 64;
/** Most messages per write. */
const MOST_MESSAGES = 4096;
/** Bytes of messages per write, unless it is a single message. */
const MOST_BYTES = 4_194_304;

/** A client's wish for events. */
export interface Registration {
  readonly kind: EventKind;
  /** UUID of the only object of its events; undefined: all objects. */
  readonly uuid: string | undefined;
}

/** The connection of the events. */
interface Receiver {
  readonly instance: Instance;
  /** Returns once the messages are written. */
  send(messages: readonly EventMessage[]): Promise<void>;
  warn(error: SvirtError): void;
}

type Parts = Awaited<ReturnType<typeof loadParts>>;

/** Loads what only registrations need: most connections have none. */
async function loadParts() {
  const { watchEvents } = await import("../../../vm/events/watch-events.ts");
  const { messageOf } = await import("./messages.ts");
  return { watchEvents, messageOf };
}

/**
 * Registrations of a connection. It watches the instance's files from the first registration to the end of
 * the last. While the client has not read the events before, none is looked for: a slow client costs no
 * memory. It gets the difference once it reads again.
 */
export class Subscriptions {
  readonly #receiver: Receiver;
  readonly #registered = new Map<number, Registration>();
  #next = 0;
  #watch: EventWatch | undefined;
  #format: Parts["messageOf"] | undefined;
  #parts: Promise<Parts> | undefined;
  #begun: Promise<void> | undefined;
  #sending: Promise<void> | undefined;
  #closed: Promise<unknown> | undefined;

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  /**
   * Returns the registration's ID, once guests' reports are heard. Throws "failed" for too many, and as
   * watchEvents().
   */
  async register(registration: Registration): Promise<number> {
    this.#parts ??= loadParts();
    const { messageOf, watchEvents } = await this.#parts;
    this.#format = messageOf;
    if (this.#registered.size >= MOST) throw tooMany();
    if (this.#watch === undefined) this.#begin(watchEvents(this.#receiver.instance));
    // Earlier events are not for this registration.
    else void this.deliver();
    if (isDeviceKind(registration.kind)) this.#followDevices();
    const id = this.#next;
    this.#next += 1;
    this.#registered.set(id, registration);
    await this.#begun;
    return id;
  }

  /** Returns false if no registration of these kinds has the ID. */
  deregister(id: number, kinds: readonly EventKind[]): boolean {
    const found = this.#registered.get(id);
    if (found === undefined || !kinds.includes(found.kind)) return false;
    this.#registered.delete(id);
    if (this.#registered.size === 0) this.close();
    else if (![...this.#registered.values()].some(({ kind }) => isDeviceKind(kind)))
      this.#watch?.followDevices(false);
    return true;
  }

  /** Sends what has happened. Returns once it is written. Packets that are sent after the call follow it. */
  async deliver(): Promise<void> {
    if (this.#sending !== undefined) return await this.#sending;
    const sending = this.#send();
    this.#sending = sending;
    await sending;
    this.#sending = undefined;
  }

  /** Ends all registrations. */
  close(): void {
    this.#registered.clear();
    if (this.#watch !== undefined) this.#closed = Promise.all([this.#closed, this.#watch.close()]);
    this.#watch = undefined;
  }

  /**
   * Ends all registrations. Returns once the events of guests that this process has received are written for
   * other processes.
   */
  async end(): Promise<void> {
    this.close();
    await this.#closed;
  }

  #followDevices(): void {
    try {
      this.#watch?.followDevices(true);
    } catch (error) {
      // A refused registration leaves nothing behind.
      if (this.#registered.size === 0) this.close();
      throw error;
    }
  }

  #begin(watch: EventWatch): void {
    this.#watch = watch;
    this.#begun = watch.begun();
    void this.#follow(watch);
  }

  async #follow(watch: EventWatch): Promise<void> {
    while (this.#watch === watch) {
      await watch.wait();
      await this.deliver();
    }
  }

  async #send(): Promise<void> {
    try {
      for (const batch of this.#batches(this.#watch?.take() ?? [])) await this.#receiver.send(batch);
    } catch (thrown) {
      this.#receiver.warn(asSvirtError(thrown));
    }
  }

  /** Encodes no event before the batch before is sent. */
  *#batches(events: readonly HappenedEvent[]): Generator<readonly EventMessage[], void> {
    let batch: EventMessage[] = [];
    let bytes = 0;
    for (const event of events) {
      for (const message of this.#messagesFor(event)) {
        const size = message.payload.reduce((sum, { length }) => sum + length, 0);
        if (batch.length === MOST_MESSAGES || (batch.length > 0 && bytes + size > MOST_BYTES)) {
          yield batch;
          [batch, bytes] = [[], 0];
        }
        batch.push(message);
        bytes += size;
      }
    }
    if (batch.length > 0) yield batch;
  }

  /** Warns of an event that cannot be encoded: no other is lost with it. */
  #messagesFor(event: HappenedEvent): readonly EventMessage[] {
    const messages: EventMessage[] = [];
    let failure: SvirtError | undefined;
    for (const [id, { kind, uuid }] of this.#registered) {
      try {
        const message = (uuid ?? event.uuid) === event.uuid ? this.#format?.(kind, id, event) : undefined;
        if (message !== undefined) messages.push(message);
      } catch (thrown) {
        failure ??= asSvirtError(thrown);
      }
    }
    if (failure !== undefined) this.#receiver.warn(failure);
    return messages;
  }
}

function tooMany(): SvirtError {
  return new SvirtError(`Cannot register for events: the connection has ${MOST} registrations`, {
    kind: "failed",
    remedy: "Register once for all domains, without a filter.",
  });
}

import type { EventFeed } from "../../src/host/monitor.ts";
import { parseQmpLine, type QmpEvent } from "../../src/qemu/monitor/qmp.ts";

/** Connections to one monitor, the first of which QEMU serves. */
type Queue = Set<{ give(event: QmpEvent): void }>;

/** The monitors of guests for events. Each serves one client at a time, as QEMU does. */
export class EventFeeds {
  readonly #queues = new Map<string, Queue>();

  /** Connects to the monitor at a path. */
  open(path: string, onEvent: () => void): EventFeed {
    const queue: Queue = this.#queues.get(path) ?? new Set();
    this.#queues.set(path, queue);
    let events: QmpEvent[] = [];
    const client = {
      give(event: QmpEvent) {
        events.push(event);
        onEvent();
      },
    };
    queue.add(client);
    return {
      served: queue.size === 1 ? Promise.resolve() : new Promise(() => undefined),
      take() {
        const taken = events;
        events = [];
        return taken;
      },
      close: () => void queue.delete(client),
    };
  }

  /** Has the QEMU with that monitor send an event, to its client alone. */
  send(path: string, event: string, data: Readonly<Record<string, unknown>> = {}): void {
    const message = { event, data, timestamp: { seconds: 1, microseconds: 0 } };
    const parsed = parseQmpLine(new TextEncoder().encode(JSON.stringify(message)));
    const [client] = this.#queues.get(path) ?? [];
    if (parsed?.is === "event") client?.give(parsed);
  }
}

import { unlessRefused } from "../../errors.ts";
import type { EventFeed } from "../../host/monitor.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestFacts } from "./domain-events.ts";
import { LateDetach } from "./late-detach.ts";

/** Wait for more events of a guest before they are written, and the longer wait right after a write. */
const SOON_MS = 10;
const LATER_MS = 100;
/** Pause after a write blocked by another svirt. */
const AGAIN_MS = 500;

/** Longest wait for QEMUs to serve this process. */
const SERVED_MS = 250;

/** A guest with a followed QEMU. */
interface Followed {
  readonly guest: GuestFacts;
  readonly feed: EventFeed;
  readonly late: LateDetach;
  /** The next write is due then. */
  timer: NodeJS.Timeout | undefined;
  /** The write under way. */
  writing: Promise<void> | undefined;
  writtenMs: number;
}

/**
 * Follows the events of running guests, and writes them for all waiting clients. QEMU has a single client at
 * a time: if several processes follow a guest, the served process writes for all, and the next takes over at
 * its end. No event is waited for, and a guest's reports in a flood are dropped.
 */
export class GuestFeeds {
  readonly #instance: Instance;
  readonly #followed = new Map<string, Followed>();
  /** Ends of guests' feeds, waiting for their last writes. */
  readonly #ends = new Set<Promise<void>>();

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  /** Follows these guests, and no others any more. */
  follow(guests: ReadonlyMap<string, GuestFacts>): void {
    for (const [uuid, followed] of this.#followed)
      if (guests.get(uuid)?.startedMs !== followed.guest.startedMs) this.#drop(uuid, followed);
    for (const [uuid, guest] of guests) if (!this.#followed.has(uuid)) this.#add(uuid, guest);
  }

  /**
   * Returns once each QEMU sends its events to a process, or after a short time: a QEMU may serve another
   * process, or not answer.
   */
  async begun(): Promise<void> {
    const served = [...this.#followed.values()].map(({ feed }) => feed.served);
    await Promise.race([Promise.all(served), this.#instance.host.sleep(SERVED_MS)]);
  }

  /**
   * Follows no guest any more. Returns once all that was heard is written, or could not be in a second or
   * two.
   */
  async close(): Promise<void> {
    for (const [uuid, followed] of this.#followed) this.#drop(uuid, followed);
    await Promise.all(this.#ends);
  }

  #add(uuid: string, guest: GuestFacts): void {
    const { host, paths } = this.#instance;
    const path = guestPaths(paths, uuid).events;
    // A guest of an older svirt has none.
    if (unlessRefused(() => host.inspectFile(path)) === undefined) return;
    const feed = host.followEvents(path, () => this.#writeSoon(uuid));
    const late = new LateDetach(this.#instance, guest);
    this.#followed.set(uuid, { guest, feed, late, timer: undefined, writing: undefined, writtenMs: 0 });
  }

  #drop(uuid: string, followed: Followed): void {
    this.#followed.delete(uuid);
    const end = this.#writeLast(followed).finally(() => {
      followed.feed.close();
      followed.late.close();
      this.#ends.delete(end);
    });
    this.#ends.add(end);
  }

  /**
   * Tries once to write the remaining events, and later events up to the end of the write: no other process
   * receives them.
   */
  async #writeLast(followed: Followed): Promise<void> {
    const isDue = followed.timer !== undefined;
    clearTimeout(followed.timer);
    const isWriting = followed.writing !== undefined;
    await followed.writing;
    if (isDue || isWriting) await this.#take(followed);
  }

  #writeSoon(uuid: string): void {
    const followed = this.#followed.get(uuid);
    if (followed === undefined) return;
    const isRecent = performance.now() - followed.writtenMs < LATER_MS;
    this.#writeAfter(followed, isRecent ? LATER_MS : SOON_MS);
  }

  #writeAfter(followed: Followed, ms: number): void {
    followed.timer ??= setTimeout(() => this.#write(followed), ms);
  }

  #write(followed: Followed): void {
    followed.timer = undefined;
    // A write is under way, and another is due.
    if (followed.writing === undefined) followed.writing = this.#writeOnce(followed);
    else this.#writeAfter(followed, LATER_MS);
  }

  async #writeOnce(followed: Followed): Promise<void> {
    followed.writtenMs = performance.now();
    const isTaken = await this.#take(followed);
    followed.writing = undefined;
    if (!isTaken && this.#followed.get(followed.guest.uuid) === followed)
      this.#writeAfter(followed, AGAIN_MS);
  }

  async #take({ feed, guest, late }: Followed): Promise<boolean> {
    try {
      // Loads the forms of steps and XML, which a client without events does not need.
      const { writeReports }: typeof import("./write-reports.ts") = require("./write-reports.ts");
      return await writeReports(this.#instance, guest, { feed, onReleased: () => late.request() });
    } catch {
      // A write has no caller to tell. Events still in the feed are tried again.
      return false;
    }
  }
}

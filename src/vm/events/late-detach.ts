import { slowWithin } from "../../run/limit-slow-calls.ts";
import { withinTime } from "../../run/monitor/limit-conversations.ts";
import type { Instance } from "../../state/instance.ts";
import { withFreeGuest } from "../../state/locks.ts";
import { isRunning, readRecord } from "../../state/record.ts";
import type { GuestFacts } from "./domain-events.ts";

/** Pause between two looks at a guest. */
const PAUSE_MS = 1000;
/** Time for its QEMU to answer. */
const ASK_MS = 2000;

/**
 * Detaches devices released by a guest after the time limit. QEMU's reports decide nothing: the record and
 * QEMU's devices are looked at, at most once a second. No caller waits for a detach, and the next call about
 * the guest finishes a failed detach.
 */
export class LateDetach {
  readonly #instance: Instance;
  readonly #guest: Pick<GuestFacts, "startedMs" | "uuid">;
  #isDue = false;
  #pause: NodeJS.Timeout | undefined;

  constructor(instance: Instance, guest: Pick<GuestFacts, "startedMs" | "uuid">) {
    this.#instance = instance;
    this.#guest = guest;
  }

  /** Looks at the guest, now or after the pause. */
  request(): void {
    this.#isDue = this.#pause !== undefined;
    if (this.#isDue) return;
    this.#pause = setTimeout(() => this.#endPause(), PAUSE_MS);
    void this.#look();
  }

  /** Looks at the guest no more. */
  close(): void {
    clearTimeout(this.#pause);
  }

  #endPause(): void {
    this.#pause = undefined;
    if (this.#isDue) this.request();
  }

  async #look(): Promise<void> {
    try {
      if (!(await this.#detachIfFree())) this.#isDue = true;
    } catch {
      // The next call about the guest has this error.
    }
  }

  /** Returns false if another svirt holds the guest's lock, and may not look at the device again. */
  async #detachIfFree(): Promise<boolean> {
    const { startedMs, uuid } = this.#guest;
    const record = readRecord(this.#instance, uuid);
    if (record?.startedMs !== startedMs || record.asked === undefined) return true;
    // Imported only for a guest with a kept device, which is rare.
    const { recoverChange } = await import("../change/change-idle-guest.ts");
    const { detachReleased } = await import("../change/detach-released.ts");
    const host = slowWithin(withinTime(this.#instance.host, ASK_MS), ASK_MS);
    const instance = { ...this.#instance, host };
    let isFree = false;
    await withFreeGuest(instance, uuid, async () => {
      isFree = true;
      const guest = readRecord(instance, uuid);
      if (guest === undefined || !isRunning(instance, guest)) return;
      await recoverChange(instance, guest);
      await detachReleased(instance, uuid);
    });
    return isFree;
  }
}

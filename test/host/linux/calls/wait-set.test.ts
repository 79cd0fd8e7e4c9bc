import { describe, expect, test } from "bun:test";
import { WaitSet } from "../../../../src/host/linux/calls/wait-set.ts";

/** Event loop whose clock goes on only while poll(2) blocks and until a timer is due. */
class Loop {
  now = 0;
  /** Times for which poll(2) has blocked. */
  readonly blocked: number[] = [];
  /** Number of times that the waits are looked at. */
  looks = 0;
  /** Times at which descriptors become ready. */
  readonly readyAt = new Map<number, number>();
  readonly #due: { readonly atMs: number; readonly run: () => void }[] = [];
  readonly waits = new WaitSet({
    nowMs: () => this.now,
    poll: (awaited, timeoutMs) => {
      this.looks += 1;
      const at = Math.min(...awaited.map(({ fd }) => this.readyAt.get(fd) ?? Number.POSITIVE_INFINITY));
      const waitMs = Math.max(0, Math.min(timeoutMs, at - this.now));
      if (waitMs > 0) this.blocked.push(waitMs);
      this.now += waitMs;
      return awaited.map(({ fd }) =>
        (this.readyAt.get(fd) ?? Number.POSITIVE_INFINITY) <= this.now ? 1 : 0,
      );
    },
    soon: (run) => void this.#due.push({ atMs: this.now, run }),
    after: (ms, run) => {
      const timer = { atMs: this.now + ms, run };
      this.#due.push(timer);
      return () => void this.#due.splice(this.#due.indexOf(timer), 1);
    },
  });

  /** Runs until the work is done, and returns its result. */
  async run<Result>(work: Promise<Result>): Promise<Result> {
    let isDone = false;
    const end = work.finally(() => {
      isDone = true;
    });
    for (;;) {
      // What a wait has ended runs before the next turn.
      for (let at = 0; at < 5; at += 1) await Promise.resolve();
      if (isDone) return await end;
      const [next] = this.#due.toSorted((one, other) => one.atMs - other.atMs);
      if (next === undefined) throw new Error("the loop has nothing to wait for");
      this.#due.splice(this.#due.indexOf(next), 1);
      this.now = Math.max(this.now, next.atMs);
      next.run();
    }
  }
}

const sum = (times: readonly number[]): number => times.reduce((all, one) => all + one, 0);
const [SILENT, ANSWERS] = [3, 4];

describe("beside the calls of a client", () => {
  test("a silent descriptor blocks the event loop for a tenth of a second at most, in short pieces", async () => {
    const loop = new Loop();
    loop.waits.share();
    expect(await loop.run(loop.waits.whenReady(SILENT, 1, 5000))).toBe(false);
    expect(loop.now).toBe(5000);
    expect(sum(loop.blocked)).toBeLessThanOrEqual(100);
    expect(Math.max(...loop.blocked)).toBeLessThanOrEqual(10);
    // Not without a pause either, which would take the processor from others.
    expect(loop.looks).toBeLessThanOrEqual(5000 / 10 + 1);
  });

  test("a late answer is noticed within a pause", async () => {
    const loop = new Loop();
    loop.waits.share();
    loop.readyAt.set(ANSWERS, 3003);
    expect(await loop.run(loop.waits.whenReady(ANSWERS, 1, 5000))).toBe(true);
    expect(loop.now).toBeLessThanOrEqual(3013);
  });

  test("a quick answer is awaited by poll(2), also beside a descriptor that has long been silent", async () => {
    const loop = new Loop();
    loop.waits.share();
    const silent = loop.waits.whenReady(SILENT, 1, 60_000);
    await loop.run(loop.waits.sleep(1000));
    loop.readyAt.set(ANSWERS, 1003);
    expect(await loop.run(loop.waits.whenReady(ANSWERS, 1, 5000))).toBe(true);
    expect(loop.now).toBe(1003);
    loop.waits.wake(SILENT);
    expect(await silent).toBe(true);
  });

  test("waits that come again and again do not keep svirt from looking at the others", async () => {
    const loop = new Loop();
    loop.waits.share();
    let isOver = false;
    const late = loop.waits.whenReady(ANSWERS, 1, 60_000).finally(() => {
      isOver = true;
    });
    loop.readyAt.set(ANSWERS, 1000);
    const often = async (): Promise<void> => {
      while (!isOver && loop.now < 2000) await loop.waits.sleep(5);
    };
    await loop.run(Promise.all([late, often()]));
    expect(loop.now).toBeLessThanOrEqual(1020);
  });
});

test("without a client poll(2) blocks for all of the time, since an idle event loop takes the processor from QEMU", async () => {
  const loop = new Loop();
  expect(await loop.run(loop.waits.whenReady(SILENT, 1, 5000))).toBe(false);
  expect([loop.now, sum(loop.blocked)]).toEqual([5000, 5000]);
});

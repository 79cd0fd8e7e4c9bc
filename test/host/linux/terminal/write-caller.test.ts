import { ptr } from "bun:ffi";
import { describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { EOPNOTSUPP } from "../../../../src/host/linux/calls/errno.ts";
import { libc } from "../../../../src/host/linux/calls/libc.ts";
import { sendSome, writeNow } from "../../../../src/host/linux/sockets/write-at-once.ts";
import { writesTo } from "../../../../src/host/linux/terminal/write-caller.ts";

const O_CLOEXEC = 0o2000000;
/** A pipe has room for 64 KiB. pipe(7) */
const BYTES = new Uint8Array(200_000).map((_, at) => at % 251);

/** A kernel before Linux 6.5, and one of today. */
const KERNELS: readonly (readonly [string, typeof writeNow])[] = [
  ["that cannot write to a pipe without a wait", () => ({ count: 0, errno: EOPNOTSUPP })],
  ["of today", writeNow],
];

const isThere = (): boolean => false;

function makePipe(): readonly [number, number] {
  const pair = new Int32Array(2);
  expect(libc().pipe2(ptr(pair), O_CLOEXEC)).toBe(0);
  return [pair[0] ?? -1, pair[1] ?? -1];
}

describe.each(KERNELS)("with a kernel %s", (_, write) => {
  test("all bytes arrive through a pipe whose reader takes them only in pauses", async () => {
    const [reader, writer] = makePipe();
    const parts: Buffer[] = [];
    const read = (): void => {
      const part = Buffer.alloc(BYTES.length);
      parts.push(part.subarray(0, readSync(reader, part)));
    };
    const pause = async (): Promise<void> => read();
    const end = await writesTo(writer, isThere, { send: sendSome, writeNow: write, pause })(BYTES);
    closeSync(writer);
    read();
    closeSync(reader);
    expect(end).toBe("written");
    expect(Buffer.concat(parts).equals(BYTES)).toBe(true);
    expect(parts.length).toBeGreaterThan(2);
  });

  test("a client that has closed its pipe is gone", async () => {
    const [reader, writer] = makePipe();
    closeSync(reader);
    const calls = { send: sendSome, writeNow: write, pause: async () => undefined };
    expect(await writesTo(writer, isThere, calls)(BYTES)).toBe("gone");
    closeSync(writer);
  });

  test("a file gets all bytes", async () => {
    const folder = mkdtempSync(`${tmpdir()}/svirt-write-`);
    const fd = openSync(`${folder}/out`, "w");
    let pauses = 0;
    const pause = async (): Promise<void> => {
      pauses += 1;
    };
    expect(await writesTo(fd, isThere, { send: sendSome, writeNow: write, pause })(BYTES)).toBe("written");
    closeSync(fd);
    expect(readFileSync(`${folder}/out`).equals(BYTES)).toBe(true);
    rmSync(folder, { recursive: true });
    expect(pauses).toBe(0);
  });
});

test("pauses become longer while the client reads nothing, up to 100 ms, and are short again afterwards", async () => {
  const pauses: number[] = [];
  let refusals = 10;
  const take: typeof sendSome = () => {
    if (refusals > 0) {
      refusals -= 1;
      return { count: 0 };
    }
    // The next byte meets a full buffer again.
    refusals = 2;
    return { count: 1 };
  };
  const pause = async (ms: number): Promise<void> => void pauses.push(ms);
  const write = writesTo(1, isThere, { send: take, writeNow, pause });
  await write(new Uint8Array(3));
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 100, 100, 100, 1, 2, 1, 2]);
});

test("a client that has ended its input is gone after 10 s without a read, and not while it reads", async () => {
  const full: typeof sendSome = () => ({ count: 0 });
  let [pausedMs, nextMs] = [0, 0];
  // Takes a byte each 9 s.
  const slow: typeof sendSome = () => {
    if (pausedMs < nextMs) return { count: 0 };
    nextMs = pausedMs + 9000;
    return { count: 1 };
  };
  const pause = async (ms: number): Promise<void> => {
    pausedMs += ms;
  };
  expect(await writesTo(1, () => true, { send: full, writeNow, pause })(BYTES)).toBe("gone");
  expect(pausedMs).toBeWithin(10_000, 10_200);
  pausedMs = 0;
  expect(await writesTo(1, () => true, { send: slow, writeNow, pause })(new Uint8Array(3))).toBe("written");
  expect(pausedMs).toBeGreaterThan(10_200);
});

import { describe, expect, test } from "bun:test";
import { closeSync, readFileSync, statSync, writeSync } from "node:fs";
import { makeGuestPipe } from "../../../../src/host/linux/sockets/guest-pipe.ts";
import { RealFolder } from "../../../real-host/folder.ts";
import { errorOf } from "../../../scenes/scene.ts";

const MIB = 1024 * 1024;
/** Longer than any of these tests takes. */
const LONG_MS = 60_000;

const quietly = (idleMs: number) => ({ idleMs, onMoved: () => undefined });

describe("svirt's end of a pipe to a QEMU", () => {
  test("takes all that comes, and tells of each MiB", async () => {
    using folder = new RealFolder();
    const file = folder.id(folder.file("state"));
    const { guestEnd, pipe } = makeGuestPipe({ direction: "from-guest", name: "svirt" });
    let moved = 0;
    const onMoved = (): void => {
      moved += 1;
    };
    const reading = pipe.readInto(file, 10, { idleMs: LONG_MS, onMoved });
    const piece = new Uint8Array(MIB / 2).fill(7);
    for (let at = 1; at <= 6; at += 1) {
      writeSync(guestEnd, piece);
      // A write to a full pipe would keep svirt's end from being read.
      while (statSync(file.path).size < 10 + at * piece.length) await Bun.sleep(1);
    }
    closeSync(guestEnd);
    expect(await reading).toBe(3 * MIB);
    expect(moved).toBe(3);
    const bytes = readFileSync(file.path);
    expect([bytes.length, bytes.subarray(10).every((byte) => byte === 7)]).toEqual([3 * MIB + 10, true]);
  });

  test.each([
    ["says nothing", 0],
    ["writes a byte now and then", 10],
  ])("is given up where a QEMU that has the other end %s", async (_, everyMs) => {
    using folder = new RealFolder();
    const file = folder.id(folder.file("state"));
    const { guestEnd, pipe } = makeGuestPipe({ direction: "from-guest", name: "svirt" });
    const drip = everyMs === 0 ? undefined : setInterval(() => writeSync(guestEnd, "x"), everyMs);
    const error = await errorOf(pipe.readInto(file, 0, quietly(300)));
    clearInterval(drip);
    expect(error.kind).toBe("timeout");
    expect(error.message).toContain("QEMU transfers less than 1 MiB in 0.3 s");
    closeSync(guestEnd);
  });

  test("has sent what the pipe has taken, though nothing has read it yet", async () => {
    using folder = new RealFolder();
    const file = folder.id(folder.file("state", "x".repeat(MIB)));
    const { guestEnd, pipe } = makeGuestPipe({ direction: "to-guest", name: "svirt" });
    // The limit is a second, and a full pipe is not ready for writing.
    await pipe.sendFrom(file, 0, quietly(1000));
    closeSync(guestEnd);
  });

  test("is given up where a QEMU reads nothing", async () => {
    using folder = new RealFolder();
    const file = folder.id(folder.file("state", "x".repeat(4 * MIB)));
    const { guestEnd, pipe } = makeGuestPipe({ direction: "to-guest", name: "svirt" });
    expect((await errorOf(pipe.sendFrom(file, 0, quietly(300)))).kind).toBe("timeout");
    closeSync(guestEnd);
  });

  test("ends its wait when it is closed", async () => {
    using folder = new RealFolder();
    const file = folder.id(folder.file("state"));
    const { guestEnd, pipe } = makeGuestPipe({ direction: "from-guest", name: "svirt" });
    const reading = errorOf(pipe.readInto(file, 0, quietly(LONG_MS)));
    await Bun.sleep(20);
    pipe.close();
    expect((await reading).message).toContain("svirt aborted the transfer");
    closeSync(guestEnd);
  });
});

import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";
import { errorOf } from "../../../scenes/scene.ts";

const folder = mkdtempSync(join(tmpdir(), "svirt-controls-"));
afterAll(() => rmSync(folder, { recursive: true }));

const LONG_MS = 60_000;
const host = makeLinuxHost();
const [first, second, pipe] = [join(folder, "first"), join(folder, "second"), join(folder, "pipe")];
for (const path of [first, second]) writeFileSync(path, "-----");
const lock = join(folder, "locks", "device");
// An opening waits for the other side, as a driver's write waits for its device. fifo(7)
Bun.spawnSync(["mkfifo", pipe]);

test("writeControls() writes one value after the other", async () => {
  await host.writeControls(
    [
      { path: first, value: "a" },
      { path: second, value: "\n" },
    ],
    LONG_MS,
    lock,
  );
  expect([first, second].map((path) => readFileSync(path, "utf8"))).toEqual(["a----", "\n----"]);
});

test("writeControls() stops at a write that the kernel refuses, with its error", async () => {
  const missing = join(folder, "none");
  const writes = [
    { path: missing, value: "a" },
    { path: first, value: "b" },
  ];
  const { kind, message } = await errorOf(host.writeControls(writes, LONG_MS, lock));
  expect([kind, message]).toEqual(["host-call", expect.stringContaining(`Cannot write a to ${missing}`)]);
  expect(readFileSync(first, "utf8")).toBe("a----");
});

test("writeControls() leaves a write that waits, and does nothing after it", async () => {
  const writes = [
    { path: pipe, value: "a" },
    { path: second, value: "b" },
  ];
  expect((await errorOf(host.writeControls(writes, 500, lock))).kind).toBe("timeout");
  expect(readFileSync(second, "utf8")).toBe("\n----");
});

test("isReadable() tells a file that keeps its reader waiting from one that answers", async () => {
  expect(await host.isReadable(pipe, 500, lock)).toBe(false);
  for (const path of ["/sys/kernel/uevent_seqnum", join(folder, "none")])
    expect(await host.isReadable(path, LONG_MS, lock)).toBe(true);
});

/** Starts a shell that has the lock until its input ends, as a child of svirt does. */
async function holdLock(): Promise<Bun.Subprocess<"pipe", "pipe">> {
  const holder = Bun.spawn(["flock", lock, "sh", "-c", "echo; read _"], { stdin: "pipe", stdout: "pipe" });
  await holder.stdout.getReader().read();
  return holder;
}

test("the child has the lock, with its number in the file, until it ends", async () => {
  rmSync(lock, { force: true });
  const waiting = host.isReadable(pipe, 2000, lock);
  while (!existsSync(lock) || readFileSync(lock, "utf8") === "") await Bun.sleep(1);
  const pid = Number(readFileSync(lock, "utf8"));
  expect([host.isLocked(lock), host.getCommandLine(pid).at(-1)]).toEqual([true, "#mount"]);
  // It is not killed yet, so it may still end by itself.
  expect(host.findWaiting(lock)).toBeUndefined();
  expect(await waiting).toBe(false);
  while (host.isLocked(lock)) await Bun.sleep(1);
  // The kernel releases the lock before the process has gone.
  while (host.getProcess(pid)?.isEnding === true) await Bun.sleep(1);
  expect(host.getProcess(pid)).toBeUndefined();
});

test("no child starts while another has the lock", async () => {
  const holder = await holdLock();
  writeFileSync(first, "-----");
  const writes = [{ path: first, value: "c" }];
  expect((await errorOf(host.writeControls(writes, 100, lock))).kind).toBe("timeout");
  expect(await host.isReadable(first, 100, lock)).toBe(false);
  expect(readFileSync(first, "utf8")).toBe("-----");
  holder.stdin.end();
  await host.writeControls(writes, LONG_MS, lock);
  expect(readFileSync(first, "utf8")).toBe("c----");
});

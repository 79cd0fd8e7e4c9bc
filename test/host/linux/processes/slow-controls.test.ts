import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
// An opening waits for the other side, as a driver's write waits for its device. fifo(7)
Bun.spawnSync(["mkfifo", pipe]);

test("writeControls() writes one value after the other", async () => {
  await host.writeControls(
    [
      { path: first, value: "a" },
      { path: second, value: "\n" },
    ],
    LONG_MS,
  );
  expect([first, second].map((path) => readFileSync(path, "utf8"))).toEqual(["a----", "\n----"]);
});

test("writeControls() stops at a write that the kernel refuses, with its error", async () => {
  const missing = join(folder, "none");
  const writes = [
    { path: missing, value: "a" },
    { path: first, value: "b" },
  ];
  const { kind, message } = await errorOf(host.writeControls(writes, LONG_MS));
  expect([kind, message]).toEqual(["host-call", expect.stringContaining(`Cannot write a to ${missing}`)]);
  expect(readFileSync(first, "utf8")).toBe("a----");
});

test("writeControls() leaves a write that waits, and does nothing after it", async () => {
  const writes = [
    { path: pipe, value: "a" },
    { path: second, value: "b" },
  ];
  expect((await errorOf(host.writeControls(writes, 500))).kind).toBe("timeout");
  expect(readFileSync(second, "utf8")).toBe("\n----");
});

test("isReadable() tells a file that keeps its reader waiting from one that answers", async () => {
  expect(await host.isReadable(pipe, 500)).toBe(false);
  for (const path of ["/sys/kernel/uevent_seqnum", join(folder, "none")])
    expect(await host.isReadable(path, LONG_MS)).toBe(true);
});

import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FolderWatch } from "../../../../src/host/channels.ts";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";

const above = mkdtempSync(join(tmpdir(), "svirt-watch-"));
afterAll(() => rmSync(above, { recursive: true }));

/** Returns a new folder and a watch over it. */
function watched(name: string): { readonly folder: string; readonly watch: FolderWatch } {
  const folder = join(above, name);
  mkdirSync(folder);
  return { folder, watch: makeLinuxHost().watchFolders([folder, join(above, "missing")]) };
}

test("a watch waits for a change, without blocking other work, and reports it once", async () => {
  const { folder, watch } = watched("one");
  expect(watch.take()).toBe(false);
  let isOver = false;
  const waited = watch.wait().then(() => {
    isOver = true;
  });
  await Bun.sleep(20);
  expect(isOver).toBe(false);
  writeFileSync(join(folder, "a.new"), "a");
  renameSync(join(folder, "a.new"), join(folder, "a"));
  await waited;
  expect([watch.take(), watch.take()]).toEqual([true, false]);
  rmSync(join(folder, "a"));
  await watch.wait();
  expect(watch.take()).toBe(true);
  watch.close();
});

test("a change before wait() is not lost", async () => {
  const { folder, watch } = watched("two");
  writeFileSync(join(folder, "a"), "a");
  await Bun.sleep(20);
  await watch.wait();
  expect(watch.take()).toBe(true);
  watch.close();
});

test("a folder that is replaced is watched on", async () => {
  const { folder, watch } = watched("three");
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  await watch.wait();
  expect(watch.take()).toBe(true);
  writeFileSync(join(folder, "a"), "a");
  await watch.wait();
  expect(watch.take()).toBe(true);
  watch.close();
});

test("two watches are independent, and close() ends a wait", async () => {
  const [one, two] = [watched("four"), watched("five")];
  const waited = two.watch.wait();
  writeFileSync(join(one.folder, "a"), "a");
  await one.watch.wait();
  expect([one.watch.take(), two.watch.take()]).toEqual([true, false]);
  two.watch.close();
  await waited;
  two.watch.close();
  one.watch.close();
  expect(two.watch.take()).toBe(false);
});

test("more changes than the kernel queues are still a change", async () => {
  const { folder, watch } = watched("six");
  for (let at = 0; at < 20_000; at += 1) {
    writeFileSync(join(folder, String(at % 2)), "");
  }
  await watch.wait();
  expect([watch.take(), watch.take()]).toEqual([true, false]);
  watch.close();
});

test("a place that is no folder is refused", () => {
  writeFileSync(join(above, "file"), "");
  expect(() => makeLinuxHost().watchFolders([join(above, "file")])).toThrow(
    /^Cannot watch \S+file: Not a directory \(errno 20\)$/,
  );
});

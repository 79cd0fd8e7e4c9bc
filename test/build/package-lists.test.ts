import { afterAll, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// update_lists() of scripts/lib/setup.sh with a stand-in for apt-get, which counts its calls and may fail.

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "svirt-lists-"));
const lists = join(work, "lists");
const calls = join(work, "calls");
const stamp = join(work, "cache/apt-lists");

mkdirSync(join(work, "bin"));
writeFileSync(join(work, "bin/apt-get"), `#!/bin/sh\necho "$*" >>${calls}\nexec ${work}/update\n`, {
  mode: 0o755,
});

afterAll(() => rmSync(work, { recursive: true }));

beforeEach(() => {
  rmSync(lists, { recursive: true, force: true });
  rmSync(stamp, { force: true });
  mkdirSync(lists);
  writeFileSync(
    join(lists, "a_InRelease"),
    "Origin: Debian\nDate: Sat, 06 Sep 2025 09:55:51 UTC\nValid-Until: x\n",
  );
  writeFileSync(join(lists, "b_InRelease"), "Date: Sat, 29 Aug 2026 20:11:30 UTC\n");
  writeFileSync(calls, "");
  archive("exit 0");
});

/** Sets what the update of the archive does. */
function archive(script: string): void {
  writeFileSync(join(work, "update"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** Runs update_lists. Returns its exit code, its progress lines and the number of updates so far. */
async function updateLists(words = "") {
  const env = {
    ...process.env,
    PATH: `${work}/bin:${process.env["PATH"]}`,
    SVIRT_CACHE: join(work, "cache"),
    SVIRT_APT_LISTS: lists,
  };
  const line = `set -euo pipefail; . scripts/lib/setup.sh; update_lists ${words}`;
  const child = Bun.spawnSync(["bash", "-c", line], { cwd: ROOT, env });
  const updates = (await Bun.file(calls).text())
    .split("\n")
    .filter((call) => call.endsWith(" update")).length;
  return { code: child.exitCode, said: child.stderr.toString(), updates };
}

test("package lists are updated once a day", async () => {
  expect((await updateLists()).updates).toBe(1);
  expect((await updateLists()).updates).toBe(1);
  const yesterday = Date.now() / 1000 - 25 * 3600;
  utimesSync(stamp, yesterday, yesterday);
  expect((await updateLists()).updates).toBe(2);
});

test("package lists are updated if the machine has others than after the last update, and on demand", async () => {
  await updateLists();
  writeFileSync(join(lists, "b_InRelease"), "Date: Sat, 22 Aug 2026 20:11:30 UTC\n\n");
  expect((await updateLists()).updates).toBe(2);
  expect((await updateLists("now")).updates).toBe(3);
});

test("package lists that cannot be updated are used, with a word on their age, and tried again", async () => {
  archive("echo 'E: Temporary failure resolving deb.debian.org' >&2; exit 100");
  const { code, said, updates } = await updateLists();
  expect({ code, updates }).toEqual({ code: 0, updates: 1 });
  expect(said).toContain("Temporary failure resolving deb.debian.org");
  expect(said).toContain("they are of 2026-08-29\n");
  expect((await updateLists()).updates).toBe(2);
});

test("package lists that are missing and cannot be fetched are called missing", async () => {
  archive("exit 100");
  rmSync(lists, { recursive: true });
  expect(await updateLists()).toMatchObject({ code: 0, said: expect.stringContaining("they are missing\n") });
});

import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withFileLimit } from "../../../../src/host/linux/calls/file-limit.ts";
import { readOutput, readOutputWithin } from "../../../../src/host/linux/processes/read-output.ts";

const folder = mkdtempSync(join(tmpdir(), "svirt-output-"));
afterAll(() => rmSync(folder, { recursive: true }));

const LIMITS = { deadlineMs: 500, mostBytes: 65_536 };
const read = (script: string): string | undefined => readOutputWithin(LIMITS)(["/bin/sh", "-c", script]);

test("readOutput() gives what a program prints, from what it is given", () => {
  expect(readOutput(["/bin/cat"], undefined, "word")).toBe("word");
  expect(readOutput(["/nonexistent"])).toBeUndefined();
  expect(readOutput(["/bin/false"])).toBeUndefined();
});

// Each program would outlast the limit: the end of the test is the proof.
test.each([
  ["sleeps", "exec sleep 30"],
  ["ignores signals", "trap '' TERM INT HUP; while :; do sleep 30; done"],
  ["prints without end", "while :; do echo yes; done"],
  ["stops itself", "kill -STOP $$"],
])("readOutput() ends a program that %s, and gives nothing", (_, script) => {
  expect(read(script)).toBeUndefined();
});

test("readOutput() gives a program no variables of svirt's", () => {
  expect(readOutput(["/usr/bin/env"])?.split("\n").toSorted()).toEqual([
    "",
    "LC_ALL=C",
    "PATH=/usr/bin:/bin",
  ]);
});

test("readOutput() does not wait for what a program has left behind, which has its output open", () => {
  expect(read("sleep 30 & echo said")).toBe("said\n");
});

test.skipIf(existsSync("/sys/fs/selinux/enforce"))(
  "readOutput() does not run a program that the kernel cannot confine, and leaves no file of it",
  () => {
    const logFolder = mkdtempSync(join(folder, "log-"));
    const confined = { context: "a:b:c:s0", inputLabel: "a:b:d:s0", logFolder };
    const words = ["/bin/sh", "-c", `: >${folder}/ran`];
    expect(readOutput(words, confined)).toBeUndefined();
    expect(readOutput(words, confined, "input")).toBeUndefined();
    expect([existsSync(join(folder, "ran")), readdirSync(logFolder)]).toEqual([false, []]);
  },
);

test("withFileLimit() ends a program that writes a longer file, and changes nothing for svirt itself", () => {
  const path = join(folder, "long");
  const words = ["/bin/sh", "-c", `exec head -c 1000000 /dev/zero >${path}`];
  const before = readFileSync("/proc/self/limits", "utf8");
  const { signalCode } = withFileLimit(4096, () => Bun.spawnSync(words));
  expect(signalCode).toBe("SIGXFSZ");
  expect(readFileSync(path)).toHaveLength(4096);
  expect(readFileSync("/proc/self/limits", "utf8")).toBe(before);
  writeFileSync(path, new Uint8Array(10_000));
});

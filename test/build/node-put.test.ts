import { afterAll, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// `scripts/node put` with a stand-in for ssh that runs the node's command here, in a folder of the test. The
// stand-in can end the connection early, as a killed `put` does.

const NODE = new URL("../../scripts/node", import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), "svirt-put-"));
const run = join(work, "cache/node/run/put");
const target = join(work, "node's folder");
const LONG = "x".repeat(300_000);

mkdirSync(run, { recursive: true });
mkdirSync(join(work, "bin"));
writeFileSync(
  join(work, "bin/ssh"),
  `#!/bin/bash
while [ "$1" != root@127.0.0.1 ]; do shift; done
shift
head -c "$PASSED_BYTES" | sh -c "$*"
`,
  { mode: 0o755 },
);
writeFileSync(join(run, "port"), "1\n");
// Stands for the node's QEMU, by the name of its PID file in the arguments.
const machine = Bun.spawn(["bash", "-c", "read", "machine", join(run, "pid"), "end"], { stdin: "pipe" });
writeFileSync(join(run, "pid"), `${machine.pid}\n`);

afterAll(() => {
  machine.kill();
  rmSync(work, { recursive: true });
});

beforeEach(() => rmSync(target, { recursive: true, force: true }));

/** Puts a path into the folder. Returns the exit code. */
function putPath(path: string, passedBytes = 1_000_000): number {
  const environment = {
    PATH: `${work}/bin:${process.env["PATH"]}`,
    SVIRT_CACHE: join(work, "cache"),
    SVIRT_NODE: "put",
    PASSED_BYTES: String(passedBytes),
  };
  return Bun.spawnSync([NODE, "put", path, target], { env: { ...process.env, ...environment } }).exitCode;
}

/** Puts a file with this text. Returns the exit code. */
function put(text: string, passedBytes?: number): number {
  const file = join(work, "file");
  writeFileSync(file, text);
  chmodSync(file, 0o750);
  return putPath(file, passedBytes);
}

test("scripts/node put copies a file with its mode, and replaces one", () => {
  expect(put("short\n")).toBe(0);
  expect(put(LONG)).toBe(0);
  expect(readdirSync(target)).toEqual(["file"]);
  expect(readFileSync(join(target, "file"), "utf8")).toBe(LONG);
  expect(statSync(join(target, "file")).mode & 0o7777).toBe(0o750);
});

test("scripts/node put that is ended leaves the former file, or none, and nothing of the new one", () => {
  expect(put(LONG, 100_000)).not.toBe(0);
  expect(readdirSync(target)).toEqual([]);
  expect(put("short\n")).toBe(0);
  expect(put(LONG, 100_000)).not.toBe(0);
  expect(readdirSync(target)).toEqual(["file"]);
  expect(readFileSync(join(target, "file"), "utf8")).toBe("short\n");
});

test("scripts/node put copies a folder with its content, and adds to one", () => {
  const folder = join(work, "folder");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "one"), "1");
  mkdirSync(join(target, "folder"), { recursive: true });
  writeFileSync(join(target, "folder/two"), "2");
  expect(putPath(folder)).toBe(0);
  expect(readdirSync(join(target, "folder")).toSorted()).toEqual(["one", "two"]);
});

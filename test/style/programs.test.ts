import { expect, test } from "bun:test";
import { Glob } from "bun";
import { listUnlistedPaths, listUnlistedStarts } from "./programs.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const table = await Bun.file(`${ROOT}docs/programs.md`).text();
const files = [...new Glob("**/*.ts").scanSync(`${ROOT}src`)];
const sources = new Map(
  await Promise.all(files.map(async (file) => [file, await Bun.file(`${ROOT}src/${file}`).text()] as const)),
);

test("docs/programs.md lists every place of src/ that starts a program, and every program by its path", () => {
  expect(sources.size).toBeGreaterThan(500);
  expect(listUnlistedStarts(sources, table)).toEqual([]);
  expect(listUnlistedPaths(sources, table)).toEqual([]);
});

test.each([
  ["Bun.spawn(words)"],
  ["Bun.spawnSync([path])"],
  ["await spawnProgram(words, {})"],
  ["await host.runProgram(words, 1)"],
  ["await instance.host.readOutput(words)"],
  ['import { execFile } from "node:child_process";'],
])("listUnlistedStarts() finds a new %s", (text) => {
  const listed = new Map([["vm/a.ts", text]]);
  expect(listUnlistedStarts(listed, "")).toEqual(["vm/a.ts"]);
  expect(listUnlistedStarts(listed, "| `a` | [a.ts](../src/vm/a.ts) |")).toEqual([]);
});

test("listUnlistedPaths() finds a new program", () => {
  const source = new Map([["vm/a.ts", 'const [TAR, FOLDER] = ["/usr/bin/tar", "/usr/bin"];']]);
  expect(listUnlistedPaths(source, "`/usr/bin/tar.gz`")).toEqual(["/usr/bin/tar"]);
  expect(listUnlistedPaths(source, "| `/usr/bin/tar` |")).toEqual([]);
});

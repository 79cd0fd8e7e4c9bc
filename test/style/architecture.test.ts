import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { listFolderCircles } from "./folder-circles.ts";
import {
  listEffects,
  listFormsReadInByStart,
  listImpure,
  listWrongDirections,
  listWrongUsersOfLinux,
  PARTS,
  type Sources,
} from "./source-rules.ts";

const SRC = new URL("../../src/", import.meta.url).pathname;
const files = [...new Glob("**/*.ts").scanSync(SRC)].sort();
const sources: Sources = new Map(
  await Promise.all(files.map(async (file) => [file, await Bun.file(SRC + file).text()] as const)),
);

test("ARCHITECTURE.md lists the parts of src/ in their order", async () => {
  const page = await Bun.file(new URL("../../ARCHITECTURE.md", import.meta.url)).text();
  const listed = [...page.matchAll(/^\| \[([a-z]+)(?:\.ts)?\]\(src\//gm)].map(([, part]) => part);
  expect(listed).toEqual([...PARTS]);
});

describe("src/", () => {
  test("is there to be looked at", () => {
    expect(files).toContain("main.ts");
  });
  test("imports only what stands before it on the data's path", () => {
    expect(listWrongDirections(sources)).toEqual([]);
  });
  test("has no circle between folders, at any depth", () => {
    expect(listFolderCircles(sources)).toEqual([]);
  });
  test("has host/linux/ imported where a call begins alone", () => {
    expect(listWrongUsersOfLinux(sources)).toEqual([]);
  });
  test("touches bun, node: and the process only in host/linux/ and where a call begins", () => {
    expect(listEffects(sources)).toEqual([]);
  });
  test("has no clock, chance or module state left of host.ts", () => {
    expect(listImpure(sources)).toEqual([]);
  });
  test("loads no form of XML, no parser and no schema of steps with a start or a list", () => {
    expect(listFormsReadInByStart(sources)).toEqual([]);
  });
});

describe("listFolderCircles()", () => {
  const importing = (files: Readonly<Record<string, string>>): Sources =>
    new Map(
      Object.entries(files).map(([file, target]) => [file, `import type { A } from "${target}";`] as const),
    );
  test.each([
    [{ "vm/a/x.ts": "../b/y.ts", "vm/b/z.ts": "../a/w.ts" }, 2, "two folders"],
    [{ "vm/a/x.ts": "../b/y.ts", "vm/b/y.ts": "../c/y.ts", "vm/c/v.ts": "../a/w.ts" }, 3, "three"],
    [{ "vm/a/x.ts": "../b.ts", "vm/b.ts": "./a/y.ts" }, 2, "a folder and a file beside it"],
    [{ "vm/x.ts": "../run/a.ts", "run/b.ts": "../vm/y.ts" }, 2, "two parts"],
  ])("%j: names %d imports (%s)", (files, count) => {
    expect(listFolderCircles(importing(files))).toHaveLength(count);
  });
  test.each([
    [{ "vm/a/x.ts": "../b/y.ts", "vm/b/y.ts": "../c.ts" }, "one direction"],
    [{ "vm/a/x.ts": "./y.ts", "vm/a/y.ts": "./x.ts" }, "files alone"],
  ])("%j: names none (%s)", (files) => {
    expect(listFolderCircles(importing(files))).toEqual([]);
  });
});

describe("the rules can fail: ", () => {
  const faulty = (file: string, text: string): Sources => new Map([[file, text]]);

  test.each([
    ["xml/a.ts", 'import { b } from "../selinux/b.ts";', "beside"],
    ["selinux/a.ts", 'import {\n  b,\n} from "../plan/b.ts";', "to the right, on many lines"],
    ["plan/a.ts", 'import type { Host } from "../host.ts";', "of a type"],
    ["plan/a.ts", 'export { b } from "../run/b.ts";', "by a re-export"],
    ["cli/a.ts", 'const b = await import("../main.ts");', "when called"],
    ["helpers/a.ts", "export const a = 1;", "from a folder without a place"],
  ])("%s with %j (%s)", (file, text) => {
    expect(listWrongDirections(faulty(file, text))).toHaveLength(1);
  });

  test.each([
    ["vm/a.ts", 'const b = await import("../host/linux/b.ts");'],
    ["cli/a.ts", 'import { b } from "../host/linux/b.ts";'],
    ["cli/a.ts", 'import type {\n  B,\n} from "../host/linux/b.ts";'],
  ])("%s with %j", (file, text) => {
    expect(listWrongUsersOfLinux(faulty(file, text))).toEqual([file]);
  });

  test.each([
    ["run/a.ts", 'import { readFileSync } from "node:fs";'],
    ["cli/a.ts", 'process.stdout.write("a");'],
    ["xml/a.ts", 'import { dlopen } from "bun:ffi";'],
    ["vm/a.ts", 'await Bun.file("a").text();'],
  ])("%s with %j", (file, text) => {
    expect(listEffects(faulty(file, text))).toEqual([file]);
  });

  test.each([
    ["label/a.ts", "const a = Math.random();"],
    ["plan/a.ts", "const now = new Date();"],
    ["domain/a.ts", "let count = 0;"],
  ])("%s with %j", (file, text) => {
    expect(listImpure(faulty(file, text))).toEqual([file]);
  });

  test.each([
    'import { a } from "../../domain/a.ts";',
    'import { type B, a } from "../../domain/a.ts";',
    'import {\n  a,\n  b,\n} from "../../domain/a.ts";',
    'export { a } from "../../domain/a.ts";',
  ])("vm/recover/recover.ts with %j, which makes a form", (text) => {
    const form = ["domain/a.ts", 'import { element } from "../xml/element.ts";'] as const;
    const element = ["xml/element.ts", "export const element = 1;"] as const;
    expect(listFormsReadInByStart(new Map([["vm/recover/recover.ts", text], form, element]))).toEqual([
      "xml/element.ts",
    ]);
  });

  test.each([
    'import type { A } from "../../domain/a.ts";',
    'import { type A, type B } from "../../domain/a.ts";',
    'const { a }: typeof import("../../domain/a.ts") = require("../../domain/a.ts");',
    'const { a } = await import("../../domain/a.ts");',
  ])("but not vm/recover/recover.ts with %j", (text) => {
    const form = ["domain/a.ts", 'import { element } from "../xml/element.ts";'] as const;
    expect(listFormsReadInByStart(new Map([["vm/recover/recover.ts", text], form]))).toEqual([]);
  });

  test("and a comment is no fault", () => {
    const text =
      '/** Not process.exit(), new Date(). */\n// from "../main.ts"\nexport const a = 1; // Bun.file\n';
    const commented = faulty("xml/a.ts", text);
    expect([...listWrongDirections(commented), ...listEffects(commented), ...listImpure(commented)]).toEqual(
      [],
    );
  });
});

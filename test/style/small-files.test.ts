import { expect, test } from "bun:test";
import { Glob } from "bun";
import { listNeedlessFiles } from "./small-files.ts";

const SRC = new URL("../../src/", import.meta.url).pathname;
const files = [...new Glob("**/*.ts").scanSync(SRC)].sort();

test("a small file with a single importer has a reason to be apart", async () => {
  const sources = new Map(
    await Promise.all(files.map(async (file) => [file, await Bun.file(SRC + file).text()] as const)),
  );
  expect(listNeedlessFiles(sources)).toEqual([]);
});

const SMALL = "export const b = 1;\n";
const needless = (changed: Readonly<Record<string, string>>): readonly string[] =>
  listNeedlessFiles(
    new Map(Object.entries({ "vm/a.ts": 'import { b } from "./b.ts";\n', "vm/b.ts": SMALL, ...changed })),
  );

test("listNeedlessFiles() finds a small file beside its only importer", () => {
  expect(needless({})).toEqual(["vm/b.ts -> vm/a.ts"]);
});

test.each([
  ["a second importer", { "vm/c.ts": 'import type { B } from "./b.ts";\n' }],
  ["an importer that loads it when called", { "vm/a.ts": 'const { b } = await import("./b.ts");\n' }],
  ["an importer that requires it when called", { "vm/a.ts": 'const { b } = require("./b.ts");\n' }],
  ["a rule of the product", { "vm/b.ts": `// Rule: B is one.\n\n${SMALL}` }],
  ["40 lines", { "vm/b.ts": SMALL.repeat(40) }],
  ["a long importer", { "vm/a.ts": `import { b } from "./b.ts";\n${"b;\n".repeat(150)}` }],
  [
    "an importer that puts parts together",
    { "vm/a.ts": ["b", "c", "d"].map((part) => `import { x } from "./${part}.ts";\n`).join("") },
  ],
] as const)("listNeedlessFiles() accepts a file with %s", (_, changed) => {
  expect(needless(changed)).toEqual([]);
});

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const SOURCES = join(import.meta.dir, "../../src");

/** Lists the source files whose text has a word. */
function filesWith(word: RegExp): readonly string[] {
  return readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && word.test(readFileSync(join(SOURCES, path), "utf8")))
    .sort();
}

test("only src/resolve/formats/file-formats.ts takes a format from the content of a file", () => {
  expect(filesWith(/\b(?:probeImageFormat|NeverGivenBytes)\b/)).toEqual([
    "images/header.ts",
    "resolve/formats/file-formats.ts",
  ]);
});

test("the format that a file claims to have is used only to look closer", () => {
  // The search for needed volumes, which asks fileFormats() before it refuses anything, and the check of
  // --inputformat.
  expect(filesWith(/\b(?:claimedFormat|parseClaimed)\b/)).toEqual([
    "images/header.ts",
    "images/mentioned-name.ts",
    "resolve/formats/file-formats.ts",
    "vm/volume/image-names.ts",
    "vm/volume/volume-image.ts",
    "vm/volume/volumes-above.ts",
  ]);
});

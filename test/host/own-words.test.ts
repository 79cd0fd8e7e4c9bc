import { expect, test } from "bun:test";

const MODULE = new URL("../../src/host/linux/own-words.ts", import.meta.url).pathname;
const SCRIPT = `import { findFaultOfWords } from "${MODULE}";
  process.stdout.write(findFaultOfWords(process.argv.slice(1))?.message ?? "none");`;

/** What is said of words, each written as printf(1) takes it: a shell gives bytes, bun's spawn gives text. */
function faultOf(...words: readonly string[]): string {
  const made = words.map((word) => `"$(printf '${word}')"`).join(" ");
  const script = `exec "$0" -e "$1" -- ${made}`;
  return Bun.spawnSync(["sh", "-c", script, process.execPath, SCRIPT]).stdout.toString();
}

test("a word of the command line that is not UTF-8 is shown, each of its bytes readable", () => {
  expect(faultOf("start", "a\\377 b\\012")).toBe("Cannot take the word a\\xff b: it is not UTF-8");
  expect(faultOf("vol-info", "\\303\\050\\001z", "later")).toBe(
    "Cannot take the word \\xc3(\\x01z: it is not UTF-8",
  );
});

test("words in UTF-8 are taken, one with a replacement character of its own too", () => {
  expect(faultOf("start", "gr\\303\\274n")).toBe("none");
  expect(faultOf("start", "\\357\\277\\275")).toBe("none");
});

test("only the beginning of a long word is shown", () => {
  expect(faultOf(`${"x".repeat(59)}\\377\\377`)).toBe(
    `Cannot take the word ${"x".repeat(59)}\\xff: it is not UTF-8`,
  );
});

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MODULE = new URL("../../../../src/host/linux/processes/svirt-arguments.ts", import.meta.url).pathname;
const SCRIPT = `import { exactArguments } from "${MODULE}";
  process.stdout.write(JSON.stringify(exactArguments(process.argv.slice(1))));`;

/**
 * Returns the arguments as exactArguments() reads them, each written for printf(1): a shell passes bytes,
 * bun's spawn text.
 */
function wordsOf(...words: readonly string[]): unknown {
  const made = words.map((word) => `"$(printf '${word}')"`).join(" ");
  const script = `exec "$0" -e "$1" -- ${made}`;
  return JSON.parse(Bun.spawnSync(["sh", "-c", script, process.execPath, SCRIPT]).stdout.toString());
}

test("bytes of a word that are not UTF-8 are kept, each as a lone surrogate", () => {
  expect(wordsOf("start", "a\\377 b\\012x")).toEqual(["start", "a\udcff b\nx"]);
  expect(wordsOf("vol-info", "\\303\\050\\001z", "later")).toEqual(["vol-info", "\udcc3(\u0001z", "later"]);
});

test("words in UTF-8 are as bun gives them, one with a replacement character of its own too", () => {
  expect(wordsOf("start", "gr\\303\\274n")).toEqual(["start", "grün"]);
  expect(wordsOf("start", "\\357\\277\\275")).toEqual(["start", "\ufffd"]);
  expect(wordsOf("\\357\\277\\275", "\\360\\237\\246\\200\\377")).toEqual(["\ufffd", "🦀\udcff"]);
});

test("svirt looks into an image whose name is not UTF-8, and shows its bytes", () => {
  const folder = mkdtempSync(join(tmpdir(), "svirt-names-"));
  try {
    const script = `name=$(printf 'a\\377b.img') && : >"$name" && exec "$0" "$1" vol-info "$name"`;
    const main = new URL("../../../../src/main.ts", import.meta.url).pathname;
    const { stderr, stdout } = Bun.spawnSync(["sh", "-c", script, process.execPath, main], { cwd: folder });
    expect(stderr.toString()).toBe("");
    expect(stdout.toString()).toContain(String.raw`Name:           a\xffb.img`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

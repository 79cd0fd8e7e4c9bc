import { describe, expect, test } from "bun:test";
import { blocksOf, firstMissing, sectionOf, typedIn } from "../readme/shown.ts";

const README = await readPage("README.md");
const CONTRIBUTING = await readPage("CONTRIBUTING.md");

/** Commands that README.md and CONTRIBUTING.md ask a reader to type, each with the program that tests it. */
const RUN_BY = new Map([
  ["scripts/demo", ".ci/run"],
  ["scripts/test", ".ci/run: bun run ok and scripts/test --gate, which run the same files"],
  ["scripts/test --all", "a developer, within ten landings, or the gate fails: test/ledger.tsv"],
  ["scripts/test --gate", ".ci/run"],
  ["scripts/test --new", "a developer, before a landing"],
  ["bun scripts/gate.ts close FILE COMMIT REASON", "a developer"],
  ["scripts/test --clients", "scripts/test --all, which runs the same files"],
  ["scripts/demo --keep", "test/readme"],
  ["SVIRT_NODE=demo scripts/node ssh", "test/readme"],
  ["SVIRT_NODE=demo scripts/node stop", "test/readme"],
  ["bun install && bun run ok", ".ci/run"],
  ["bun run ok", ".ci/run"],
  ["bun run ok:all", "scripts/test --all, which runs the same files"],
  ["bun run fix", "nothing: it changes files"],
  ["bun test test/label", "scripts/test, which runs the same files"],
  ["bun scripts/write-docs.ts", "test/cli/docs.test.ts, by the same function"],
  ["scripts/bench --gate", ".ci/run, by scripts/test --gate, with --counts"],
  ["scripts/bench --gate --record", "a developer"],
  ["scripts/build", ".ci/run"],
  // FILTER stands for a name. The command is for debugging.
  ["scripts/test FILTER", "nothing"],
]);

test("README.md and CONTRIBUTING.md tell a reader to type nothing but what a test types, too", () => {
  const pages = README + CONTRIBUTING;
  const inText = [...pages.matchAll(/`((?:bun|scripts\/|SVIRT_)[^`]*)`/g)].map(([, command = ""]) => command);
  const blocks = blocksOf(README)
    .filter(([first = ""]) => /^(bun|scripts\/|SVIRT_)/.test(first))
    .flatMap((block) => block.map((line) => line.replace(/ *#.*/, "")));
  expect(blocks.length).toBeGreaterThan(2);
  const found = new Set([...inText, ...blocks].map((command) => command.replace(/\s+/g, " ")));
  expect([...found].sort()).toEqual([...RUN_BY.keys()].sort());
  // Only the tour is typed at the node's prompt.
  expect(typedIn(README)).toEqual(typedIn(sectionOf(README, "A five-minute tour")));
});

function readPage(name: string): Promise<string> {
  return Bun.file(new URL(`../../${name}`, import.meta.url)).text();
}

describe("what README.md shows is found in what was printed", () => {
  const printed = "one\ntwo   2\n\nthree\nfour\n";
  test.each([
    [["one", "two 2"], undefined],
    [["two 2", "", "three"], undefined],
    [["one", "...", "four"], undefined],
    [["one", " ...", "", "three"], undefined],
    [["one", "three"], "three"],
    [["two 2", "...", "one"], "one"],
    [["five"], "five"],
  ])("%j: %p", (shown, missing) => {
    expect(firstMissing(shown, printed)).toBe(missing);
  });

  test.each([
    [["one", "...", "four"], undefined],
    [["one", "...", "three"], "the end"],
    [["two 2", "...", "four"], "two 2"],
    [["...", "four"], undefined],
  ])("as a whole, %j: %p", (shown, missing) => {
    expect(firstMissing(shown, printed, true)).toBe(missing);
  });

  test("a process number and an inode are any number, and nothing else is", () => {
    const differs = (shown: string, other: string): boolean => firstMissing([shown], other) !== undefined;
    const row = (pid: string, uid: string, level: string): string =>
      ` alice   ${pid}   ${uid}   system_u:system_r:svirt_t:s0:${level}`;
    expect(differs(row("7", "1879048353", "c1,c2"), row("4711", "1879048353", "c1,c2"))).toBe(false);
    expect(differs(row("7", "1879048353", "c1,c2"), row("7", "1879048354", "c1,c2"))).toBe(true);
    expect(differs(row("7", "1879048353", "c1,c2"), row("7", "1879048353", "c1,c3"))).toBe(true);
    expect(differs("release file inode-254:32-55", "release file inode-254:32-1")).toBe(false);
    expect(differs("release file inode-254:32-55", "release file inode-254:48-55")).toBe(true);
  });
});

import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";

const NODE_TESTS = fileURLToPath(new URL("../../scripts/lib/node-tests", import.meta.url));

/** Returns the share of each node, as scripts/lib/node-tests --share prints it. */
function sharesOf(nodes: readonly string[], files: readonly string[]): readonly (readonly string[])[] {
  return nodes.map((_, slot) => {
    const { stdout } = Bun.spawnSync([NODE_TESTS, "--share", String(slot), ...files], {
      env: { ...process.env, SVIRT_NODES: nodes.join(" ") },
    });
    return stdout.toString().trimEnd().split("\n");
  });
}

/** A file that took longer than the next two together, and three that nothing is known of. */
const FILES = [
  "./test/node/a.test.ts",
  "./test/node/b.test.ts",
  "./test/node/liar.test.ts",
  "./test/node/c.test.ts",
];

test("each file runs on one node, in the given order, and the longest has a node to itself", () => {
  expect(sharesOf(["one", "two"], FILES)).toEqual([
    ["./test/node/liar.test.ts"],
    ["./test/node/a.test.ts", "./test/node/b.test.ts", "./test/node/c.test.ts"],
  ]);
});

test("one node runs all files", () => {
  expect(sharesOf(["one"], FILES)).toEqual([FILES]);
});

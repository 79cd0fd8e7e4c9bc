import { describe, expect, test } from "bun:test";
import { LIAR_RUNS } from "./isolation/attempt.ts";
import { isNodeUp } from "./isolation/on-the-node.ts";
import { formatProof } from "./isolation/table.ts";
import { LIAR_EXCEPTIONS } from "./liar/exceptions.ts";
import { tryLiar } from "./liar/on-the-node.ts";
import { PARTS } from "./liar/parts.ts";

const nodeIsUp = await isNodeUp();

describe.skipIf(!nodeIsUp)("on the node (skipped: `scripts/node start` first)", () => {
  test("a QEMU that lies reaches nothing by what it was handed, fills nothing, and holds nobody up", async () => {
    const { faults, rows } = await tryLiar(say);
    say(`\n${formatProof(rows, LIAR_RUNS)}`);
    expect(faults).toEqual([]);
    for (const { group } of PARTS)
      expect(rows.filter((row) => row.attempt.group === group).length).toBeGreaterThan(30);
  }, 2_400_000);
});

test("of what a liar can do, this is left", () => {
  const done = LIAR_EXCEPTIONS.filter(({ verdict }) => verdict === "done").map(({ id }) => id);
  expect(done).toEqual(["block.scsi", "block.scsi-old", "keep.pages"]);
});

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

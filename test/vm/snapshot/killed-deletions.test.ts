import { describe, expect, test } from "bun:test";
import { readRecord } from "../../../src/state/record.ts";
import { listSnapshotMerges } from "../../../src/state/snapshots/snapshot-merge.ts";
import { recoverBefore } from "../../../src/vm/recover/recover-before.ts";
import { sampleOf } from "../../sample.ts";
import { nodeOn, reapAll, UUID } from "../../scenes/scene.ts";
import { machineThatIsOff, machineThatRuns, remove, seen } from "../../scenes/snapshots.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const TEST_MS = 600_000;

describe("killed at any call of the host", () => {
  test.each([
    ["of a running guest, from the top", machineThatRuns, "s2"],
    ["of a running guest, below the top", machineThatRuns, "s1"],
    ["of a guest that is off", machineThatIsOff, "s2"],
  ])(
    "a deletion %s is complete, or can be repeated",
    async (_, prepare, name) => {
      const work: Work = remove(name);
      const before = seen(nodeOn(await prepare()));
      const whole = await prepare();
      const wasRunning = readRecord(nodeOn(whole), UUID) !== undefined;
      await work(nodeOn(whole));
      const after = seen(nodeOn(whole));
      const results = new Set<string>();
      for (const strike of sampleOf(await instantsOf(prepare, work))) {
        const machine = await prepare();
        await beStruck(machine, work, strike);
        await reapAll(machine);
        const node = nodeOn(machine);
        for (let call = 0; call < 2; call += 1)
          expect([strike, (await recoverBefore(node, "all")).errors]).toEqual([strike, []]);
        expect([strike, readRecord(node, UUID) !== undefined]).toEqual([strike, wasRunning]);
        const now = seen(node);
        const isDone = now.stored.length === after.stored.length;
        // A commit that is done and not noted leaves the snapshot, whose overlay the guest may have lost.
        if (isDone) expect([strike, now, listSnapshotMerges(node)]).toEqual([strike, after, []]);
        else {
          expect([strike, now.stored, now.images]).toEqual([strike, before.stored, before.images]);
          expect([strike, await work(node)]).toEqual([strike, []]);
          await reapAll(machine);
          expect([strike, seen(node), listSnapshotMerges(node)]).toEqual([strike, after, []]);
        }
        results.add(isDone ? "after" : "before");
      }
      expect([...results].sort()).toEqual(["after", "before"]);
    },
    TEST_MS,
  );
});

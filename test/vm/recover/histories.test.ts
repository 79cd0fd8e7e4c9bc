import { test } from "bun:test";
import fc from "fast-check";
import { runsOf } from "../../sample.ts";
import { histories, liveThrough, prepareForHistories } from "../../scenes/histories.ts";
import { makeMachine } from "../../scenes/scene.ts";

/** Number of histories. scripts/test --all runs thousands, which take some minutes. */
const ORDERS = Number(process.env["SVIRT_ORDERS"] ?? runsOf(150));
const TIMEOUT_MS = 1_200_000;

test(
  "any order of starts, stops, crashes, reboots and failures leaves every label as it was, and no two guests meet",
  async () => {
    await fc.assert(
      fc.asyncProperty(histories, (history) => liveThrough(prepareForHistories(makeMachine()), history)),
      { numRuns: ORDERS },
    );
  },
  TIMEOUT_MS,
);

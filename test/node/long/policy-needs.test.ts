import { afterAll, beforeAll, expect, test } from "bun:test";
import { binaryOf, findBuiltPolicy } from "../../policy/built-policy.ts";
import { formatRight } from "../../policy/needed.ts";
import { findFailure, loadAndRemove, loadPolicy } from "../../policy/on-the-node.ts";
import { buildSwitchable, OUR_RIGHTS } from "../../policy/our-rules.ts";
import { readTable } from "../../policy/tables.ts";
import { isNodeUp } from "../isolation/on-the-node.ts";

/** Number of rights of fails.txt to try, spread over the table; scripts/policy-needs.ts tries all. */
const TRIED = 6;

// Skipped if no node is up or the policy of this checkout is not built; on the nodes of scripts/test a skip
// is a failure.
const folder = findBuiltPolicy();
const isUp = folder !== undefined && (await isNodeUp());
const failing = [...(await readTable("fails.txt"))];
const sample = failing.filter((_, at) => at % Math.ceil(failing.length / TRIED) === 0);

if (isUp) {
  beforeAll(() => loadAndRemove(buildSwitchable(folder)), 240_000);
  afterAll(() => loadPolicy(binaryOf(folder)), 60_000);
}

for (const [right, failure] of sample) {
  const [, scenario = "", title = ""] = /^(\S+): (.*)$/.exec(failure) ?? [];
  test.skipIf(!isUp)(`without ${right} fails: ${failure}`, async () => {
    const without = OUR_RIGHTS.findIndex((one) => formatRight(one) === right);
    expect(await findFailure({ scenario, title })).toBeUndefined();
    expect(await findFailure({ scenario, title }, without)).toBe(title);
  });
}

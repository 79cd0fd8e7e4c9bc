/**
 * Finds out what fails without a right of svirt's policy modules: `SVIRT_NODE=NAME bun scripts/policy-needs.ts [WORD...]` loads
 * a policy into the running node in which each right has a switch. For each right that has one of the words in its name or is
 * of that scenario of test/policy/used.txt (all, without words), and is not in test/policy/fails.txt, it switches the right off,
 * runs the scenario until a test fails, and writes the name of that test to fails.txt.
 */
import { rmSync } from "node:fs";
import { binaryOf, findBuiltPolicy } from "../test/policy/built-policy.ts";
import { formatRight } from "../test/policy/needed.ts";
import { findFailure, loadPolicy } from "../test/policy/on-the-node.ts";
import { buildSwitchable, OUR_RIGHTS } from "../test/policy/our-rules.ts";
import { NOTHING, readTable, writeTable } from "../test/policy/tables.ts";

const words = process.argv.slice(2);
const folder = findBuiltPolicy();
if (folder === undefined)
  throw new Error("Cannot look for failures: the policy is not built. Run image/build");
const uses = await readTable("used.txt");
const failures = new Map(await readTable("fails.txt"));
const wanted = OUR_RIGHTS.map((right, index) => {
  const name = formatRight(right);
  return { index, name, scenario: uses.get(name) ?? "" };
})
  .filter(({ scenario, name }) => scenario !== "" && !failures.has(name))
  .filter(
    ({ scenario, name }) =>
      words.length === 0 || words.includes(scenario) || words.some((word) => name.includes(word)),
  );

const built = buildSwitchable(folder);
try {
  await loadPolicy(binaryOf(`${built}/store`));
} finally {
  rmSync(built, { recursive: true });
}
for (const [scenario, rights] of Map.groupBy(wanted, (right) => right.scenario)) {
  const broken = await findFailure(scenario);
  if (broken !== undefined) {
    process.stderr.write(`${scenario} is left out, it fails with all rights: ${broken}\n`);
    continue;
  }
  for (const { index, name } of rights) {
    const failed = await findFailure(scenario, { without: index });
    failures.set(name, failed === undefined ? NOTHING : `${scenario}: ${failed}`);
    process.stderr.write(`${name}: ${failures.get(name)}\n`);
    await writeTable("fails.txt", OUR_RIGHTS, failures);
  }
}

/**
 * Finds out what fails without a right of svirt's policy modules: `SVIRT_NODE=NAME bun scripts/policy-needs.ts FILE...`.
 * The running node gets a policy that writes down each use of a right that is not in test/policy/fails.txt, and these test
 * files of test/node are run. Then it gets one in which each right has a switch; each that was used is switched off and the
 * quickest of the tests that used it is run again. The names of those that fail are written to fails.txt. In the end the node
 * has its own policy again.
 */
import { rmSync } from "node:fs";
import { binaryOf, findBuiltPolicy } from "../test/policy/built-policy.ts";
import { buildAudited } from "../test/policy/changed-policy.ts";
import { formatRight } from "../test/policy/needed.ts";
import { findFailure, loadPolicy, scenarioOf, watchUses } from "../test/policy/on-the-node.ts";
import { buildSwitchable, OUR_RIGHTS, readOurPolicy } from "../test/policy/our-rules.ts";
import { readUses } from "../test/policy/seen.ts";
import { readTable, writeFails } from "../test/policy/tables.ts";

/** So many tests that use a right are tried at most. */
const TRIED = 3;

/** A test that was seen using a right. */
interface Use {
  readonly scenario: string;
  readonly title: string;
  readonly ms: number;
}

const folder = findBuiltPolicy();
if (folder === undefined)
  throw new Error("Cannot look for failures: the policy is not built. Run image/build");
const failures = new Map(await readTable("fails.txt"));
const untried = OUR_RIGHTS.filter((right) => !failures.has(formatRight(right)));
const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** The running node gets the policy that was built, for the folder to be removed. */
async function load(built: string): Promise<void> {
  try {
    await loadPolicy(binaryOf(`${built}/store`));
  } finally {
    rmSync(built, { recursive: true });
  }
}

/** By formatRight(), the quickest first. */
async function findUses(built: string): Promise<ReadonlyMap<string, readonly Use[]>> {
  const ours = { policy: readOurPolicy(built), rights: untried };
  const found = new Map<string, readonly Use[]>();
  await load(buildAudited(built, untried));
  for (const scenario of process.argv.slice(2).map(scenarioOf)) {
    const { seen, passed } = await watchUses(scenario);
    for (const [right, titles] of readUses(ours, seen)) {
      const uses = titles.flatMap((title) => {
        const ms = [...passed].find(([whole]) => whole === title || whole.endsWith(` > ${title}`))?.[1];
        return ms === undefined ? [] : [{ scenario, title, ms }];
      });
      found.set(
        right,
        [...(found.get(right) ?? []), ...uses].toSorted((a, b) => a.ms - b.ms),
      );
    }
    say(`${scenario}: ${passed.size} tests passed; so far ${found.size} rights were seen used`);
  }
  return found;
}

const uses = await findUses(folder);
await load(buildSwitchable(folder));
for (const [right, tests] of uses) {
  const without = OUR_RIGHTS.findIndex((one) => formatRight(one) === right);
  for (const test of tests.slice(0, TRIED)) {
    const failed = await findFailure(test, without);
    if (failed === undefined) continue;
    failures.set(right, `${test.scenario}: ${failed}`);
    await writeFails(OUR_RIGHTS, failures);
    break;
  }
  say(`${right}: ${failures.get(right) ?? `passes without: ${tests.map(({ title }) => title).join("; ")}`}`);
}
await loadPolicy(binaryOf(folder));

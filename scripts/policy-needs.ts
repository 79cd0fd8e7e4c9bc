/**
 * Finds the tests that fail without a right of svirt's policy modules: `SVIRT_NODE=NAME bun
 * scripts/policy-needs.ts FILE...`. The running node gets a policy that logs each use of a right that is not
 * in test/policy/fails.txt, and runs these test files of test/node. Then it gets a policy with a boolean for
 * each right. Each used right is disabled, and the quickest tests that used it run again. The names of those
 * that fail are written to fails.txt. At the end the node gets its own policy back. With --boot WORD..., the
 * node boots once without each right that is not in fails.txt and has one of these words in its name. After
 * each such boot the test that reboots the node runs.
 */
import { rmSync } from "node:fs";
import { node } from "../test/node/harness/on-the-node.ts";
import { binaryOf, findBuiltPolicy } from "../test/policy/built-policy.ts";
import { buildAudited } from "../test/policy/changed-policy.ts";
import { formatRight } from "../test/policy/needed.ts";
import {
  findFailure,
  loadAndRemove,
  loadPolicy,
  scenarioOf,
  type Trial,
  watchUses,
} from "../test/policy/on-the-node.ts";
import { buildSwitchable, OUR_RIGHTS, readBarePolicy } from "../test/policy/our-rules.ts";
import { readUses } from "../test/policy/seen.ts";
import { readTable, writeFails } from "../test/policy/tables.ts";

/** Most tests to try for a right. */
const TRIED = 3;
/** Time limit of a trial, from the test's earlier time: a slower one waits for a denied access. */
const PATIENCE = { times: 3, plusMs: 10_000 };

/** Test that boots the node as an administrator does. */
const REBOOT = {
  scenario: "reboot",
  title: "a clean reboot: at boot svirt puts every label back, and starts what is to be started",
};

/** Test that used a right. */
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

/** Returns the uses by formatRight(), the quickest first. */
async function findUses(
  built: string,
  files: readonly string[],
): Promise<ReadonlyMap<string, readonly Use[]>> {
  const ours = { bare: readBarePolicy(built), rights: OUR_RIGHTS };
  const found = new Map<string, readonly Use[]>();
  await loadAndRemove(buildAudited(built, untried));
  for (const scenario of files.map(scenarioOf)) {
    const { seen, passed, failed } = await watchUses(scenario);
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
    say(
      `${scenario}: ${passed.size} tests passed, ${failed.length} failed; so far ${found.size} rights were seen used`,
    );
  }
  return found;
}

const placeOf = (right: string): number => OUR_RIGHTS.findIndex((one) => formatRight(one) === right);

async function keep(right: string, failure: string): Promise<void> {
  say(`${right}: ${failure}`);
  failures.set(right, failure);
  await writeFails(OUR_RIGHTS, failures);
}

/** Calls findFailure(). Prints another failure and ignores it. */
async function tryTest(test: Trial, without?: string): Promise<string | undefined> {
  try {
    return await findFailure(test, without === undefined ? undefined : placeOf(without));
  } catch (error) {
    say(`${without ?? "a boot"}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

/** Tries the rights that the test files use, on the running node. */
async function tryFiles(built: string, files: readonly string[]): Promise<void> {
  const uses = await findUses(built, files);
  await loadAndRemove(buildSwitchable(built));
  for (const [right, tests] of uses) {
    const tried = tests.slice(0, TRIED);
    for (const test of tried) {
      const timeoutMs = Math.round(test.ms * PATIENCE.times + PATIENCE.plusMs);
      const failed = await tryTest({ ...test, timeoutMs }, right);
      if (failed === undefined) continue;
      await keep(right, `${test.scenario}: ${failed}`);
      break;
    }
    if (!failures.has(right)) say(`${right}: nothing fails of ${tried.map(({ title }) => title).join("; ")}`);
  }
  await loadPolicy(binaryOf(built));
}

/** Tries the rights that a boot uses. */
async function tryBoots(built: string, words: readonly string[]): Promise<void> {
  const wanted = untried.map(formatRight).filter((right) => words.some((word) => right.includes(word)));
  for (const right of wanted) {
    const lacking = buildSwitchable(built, placeOf(right));
    try {
      await node(["stop"]);
      await node(["start", "--policy", binaryOf(`${lacking}/store`)]);
    } finally {
      rmSync(lacking, { recursive: true });
    }
    const failed = await tryTest(REBOOT);
    if (failed === undefined) say(`${right}: nothing fails of ${REBOOT.title}`);
    else await keep(right, `${REBOOT.scenario}: ${failed}`);
  }
}

const words = process.argv.slice(2);
await (words[0] === "--boot" ? tryBoots(folder, words.slice(1)) : tryFiles(folder, words));

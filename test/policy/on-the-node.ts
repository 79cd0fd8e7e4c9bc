import { rmSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { node } from "../node/harness/on-the-node.ts";
import { binaryOf } from "./built-policy.ts";
import { switchOf } from "./changed-policy.ts";

const NODE_TESTS = fileURLToPath(new URL("../node", import.meta.url));
const COLLECT = fileURLToPath(new URL("collect.awk", import.meta.url));
/** Folder on the node for the files of these tests. */
const ON_NODE = "/srv/policy-needs";
/** Default limit of a test. A guest that waits for a denied access makes it slow. */
const TIMEOUT_MS = 120_000;

/** Loads the policy into the kernel of the running node, until its next boot. */
export async function loadPolicy(binary: string): Promise<void> {
  await node(["put", binary, COLLECT, ON_NODE]);
  await node(["ssh", `dd if=${ON_NODE}/policy.33 of=/sys/fs/selinux/load bs=64M 2>/dev/null`]);
}

/** Loads a policy of buildWith(), and removes its folder. */
export async function loadAndRemove(built: string): Promise<void> {
  try {
    await loadPolicy(binaryOf(`${built}/store`));
  } finally {
    rmSync(built, { recursive: true });
  }
}

/** Returns the path of a test file in test/node from its name in the tables. */
function findTestFile(scenario: string): string {
  const [file] = new Bun.Glob(`**/${scenario}.test.ts`).scanSync({ cwd: NODE_TESTS, absolute: true });
  if (file === undefined) throw new Error(`Cannot find the scenario ${scenario} in test/node`);
  return file;
}

/** Result of a run of one test file. */
interface Outcome {
  /** Milliseconds of each test that passed, by its title. */
  readonly passed: ReadonlyMap<string, number>;
  /** Titles of the tests that failed. */
  readonly failed: readonly string[];
  /** What the run printed. */
  readonly printed: string;
  readonly code: number;
}

async function runTests(
  words: readonly string[],
  { timeoutMs = TIMEOUT_MS, env = {} }: { timeoutMs?: number | undefined; env?: Record<string, string> } = {},
): Promise<Outcome> {
  const test = Bun.spawn(["bun", "test", `--timeout=${timeoutMs}`, ...words], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...env },
  });
  const [out, err, code] = await Promise.all([
    new Response(test.stdout).text(),
    new Response(test.stderr).text(),
    test.exited,
  ]);
  const printed = out + err;
  const lines = [...printed.matchAll(/^\((pass|fail)\) (.*?)(?: \[([\d.]+)ms\])?$/gm)];
  return {
    passed: new Map(
      lines.flatMap(([, how, title = "", ms = "0"]) => (how === "pass" ? [[title, Number(ms)]] : [])),
    ),
    failed: lines.flatMap(([, how, title = ""]) => (how === "fail" ? [title] : [])),
    printed,
    code,
  };
}

/**
 * Runs a scenario under a policy that logs uses. Returns the output of collect.awk and the results of the
 * tests.
 */
export async function watchUses(scenario: string): Promise<Outcome & { readonly seen: string }> {
  const collect = `awk -f ${ON_NODE}/collect.awk /proc/kmsg >${ON_NODE}/seen`;
  await node([
    "ssh",
    `killall awk 2>/dev/null; dmesg -n 1; dmesg -c >/dev/null; (${collect}) </dev/null >/dev/null 2>&1 &`,
  ]);
  const outcome = await runTests([findTestFile(scenario)], { env: { SVIRT_MARK_TESTS: "1" } });
  return { ...outcome, seen: await node(["ssh", `cat ${ON_NODE}/seen`]) };
}

/** Returns the name of a scenario from the path of its test file. */
export const scenarioOf = (path: string): string => basename(path, ".test.ts");

/** Test of a scenario, with its time limit. */
export interface Trial {
  readonly scenario: string;
  readonly title: string;
  readonly timeoutMs?: number;
}

/**
 * Runs one test under the policy of buildSwitchable(), without the right of that index if one is given.
 * Returns the full title of the test, with its groups, if it failed; if it failed with all rights, prints
 * why. Throws if something failed before it: on a busy machine a hook may take too long.
 */
export async function findFailure(
  { scenario, title, timeoutMs }: Trial,
  without?: number,
): Promise<string | undefined> {
  if (without !== undefined) await turn(without, 0);
  try {
    const words = title.replaceAll(" > ", " ").replace(/[^\w ]/g, "\\$&");
    const only = ["--bail", "-t", `(?:^| )${words}$`, findTestFile(scenario)];
    const { failed, printed, code } = await runTests(only, { timeoutMs });
    if (code === 0) return undefined;
    if (without === undefined) process.stderr.write(printed);
    const own = failed.find((one) => one === title || one.endsWith(` > ${title}`));
    if (own === undefined) throw new Error(`${scenario} failed before ${title}`);
    return own;
  } finally {
    if (without !== undefined) await turn(without, 1);
  }
}

async function turn(right: number, value: 0 | 1): Promise<void> {
  const folder = "/sys/fs/selinux";
  await node([
    "ssh",
    `echo ${value} >${folder}/booleans/${switchOf(right)} && echo 1 >${folder}/commit_pending_bools`,
  ]);
}

import { fileURLToPath } from "node:url";
import { node } from "../node/lifecycle/on-the-node.ts";
import { switchOf } from "./changed-policy.ts";

const NODE_TESTS = fileURLToPath(new URL("../node", import.meta.url));
const COLLECT = fileURLToPath(new URL("collect.awk", import.meta.url));
/** Where the node keeps what is brought for this. */
export const ON_NODE = "/srv/policy-use";
/** Of one test: a guest that waits for what it does not get makes it slow. */
const TIMEOUT_MS = 120_000;

/** The kernel of the running node gets this policy; until it boots. */
export async function loadPolicy(binary: string): Promise<void> {
  await node(["put", binary, COLLECT, ON_NODE]);
  await node(["ssh", `dd if=${ON_NODE}/policy.33 of=/sys/fs/selinux/load bs=64M 2>/dev/null`]);
}

/** The file of the scenario that used.txt names. */
function findTestFile(scenario: string): string {
  const [file] = new Bun.Glob(`**/${scenario}.test.ts`).scanSync({ cwd: NODE_TESTS, absolute: true });
  if (file === undefined) throw new Error(`Cannot find the scenario ${scenario} in test/node`);
  return file;
}

/** Of which test, under which policy. */
interface Trial {
  /** The number of the right that the policy lacks; none: it lacks nothing. */
  readonly without?: number;
  /** The only test that is run. */
  readonly title?: string;
}

/**
 * Runs a scenario on the node, until its first failure, under the policy that buildSwitchable() made. Gives the name of the
 * test that failed.
 */
export async function findFailure(
  scenario: string,
  { title, without }: Trial = {},
): Promise<string | undefined> {
  if (without !== undefined) await turn(without, 0);
  try {
    const only = title === undefined ? [] : ["-t", `^ ?${title.replace(/[^\w ]/g, "\\$&")}$`];
    const words = ["bun", "test", "--bail", `--timeout=${TIMEOUT_MS}`, ...only, findTestFile(scenario)];
    const test = Bun.spawn(words, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([
      new Response(test.stdout).text(),
      new Response(test.stderr).text(),
      test.exited,
    ]);
    if (code === 0) return undefined;
    const [, failed] = /^\(fail\) (.*?)(?: \[[\d.]+ms\])?$/m.exec(out + err) ?? [];
    return failed ?? "before the first test";
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

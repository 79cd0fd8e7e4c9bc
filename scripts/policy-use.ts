/**
 * Finds out which rights of svirt's policy modules are used. `SVIRT_NODE=NAME bun scripts/policy-use.ts FILE...` loads a policy
 * into the running node that writes down each use of a right nobody has seen used yet, runs these test files of test/node on
 * it, and adds what was granted to test/policy/used.txt. `--write FILE` writes that policy for `scripts/node start --policy`, to
 * see a boot; `--read FILE...` takes what collect.awk has printed before.
 */
import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { node } from "../test/node/lifecycle/on-the-node.ts";
import { binaryOf, findBuiltPolicy } from "../test/policy/built-policy.ts";
import { buildAudited } from "../test/policy/changed-policy.ts";
import { formatRight } from "../test/policy/needed.ts";
import { loadPolicy, ON_NODE } from "../test/policy/on-the-node.ts";
import { OUR_RIGHTS, readOurPolicy } from "../test/policy/our-rules.ts";
import { addSeen } from "../test/policy/seen.ts";
import { readTable, writeTable } from "../test/policy/tables.ts";

const [word, ...more] = process.argv.slice(2);
const folder = findBuiltPolicy();
if (folder === undefined) throw new Error("Cannot look for uses: the policy is not built. Run image/build");
const known = await readTable("used.txt");
if (word === "--write") {
  const [out = "policy.33"] = more;
  await withAudited(folder, async (binary) => copyFileSync(binary, out));
} else {
  const isRead = word === "--read";
  const seen = isRead ? more.map((path) => readFileSync(path, "utf8")).join("") : await watch(folder);
  const ours = { policy: readOurPolicy(folder), rights: OUR_RIGHTS };
  await writeTable("used.txt", OUR_RIGHTS, addSeen(ours, known, seen));
}

async function withAudited(built: string, use: (binary: string) => Promise<void>): Promise<void> {
  const unseen = OUR_RIGHTS.filter((right) => !known.has(formatRight(right)));
  const audited = buildAudited(built, unseen);
  try {
    await use(binaryOf(`${audited}/store`));
  } finally {
    rmSync(audited, { recursive: true });
  }
}

/** Runs the test files under a policy that tells of each use. */
async function watch(built: string): Promise<string> {
  await withAudited(built, loadPolicy);
  await node([
    "ssh",
    `dmesg -c >/dev/null; (awk -f ${ON_NODE}/collect.awk /proc/kmsg >${ON_NODE}/seen) </dev/null >/dev/null 2>&1 &`,
  ]);
  for (const file of process.argv.slice(2)) {
    await node(["ssh", `echo svirt-use: ${basename(file, ".test.ts")} >/dev/kmsg`]);
    const test = Bun.spawn(["bun", "test", "--timeout=300000", file], {
      stdin: "ignore",
      stdout: 2,
      stderr: 2,
    });
    if ((await test.exited) !== 0)
      process.stderr.write(`${file} fails: what it did is counted all the same\n`);
  }
  return await node(["ssh", `cat ${ON_NODE}/seen`]);
}

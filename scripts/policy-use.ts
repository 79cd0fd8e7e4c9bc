/**
 * Finds out which rights of svirt's policy modules are needed: `SVIRT_NODE=NAME bun scripts/policy-use.ts FILE...` loads a
 * policy into the running node that writes down each use of a right nobody has seen used yet, runs these test files of
 * test/node on it, and adds what was granted to test/policy/used.txt. `--read FILE` takes what collect.awk has printed before.
 */
import { readFileSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { node } from "../test/node/lifecycle/on-the-node.ts";
import { buildAudited } from "../test/policy/audited-policy.ts";
import { binaryOf, findBuiltPolicy } from "../test/policy/built-policy.ts";
import { formatRight } from "../test/policy/needed.ts";
import { OUR_RIGHTS, readOurPolicy } from "../test/policy/our-rules.ts";
import { addSeen } from "../test/policy/seen.ts";
import { formatUses, parseUses, UNSEEN } from "../test/policy/use-table.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TABLE = `${ROOT}test/policy/used.txt`;
const ON_NODE = "/srv/policy-use";

const words = process.argv.slice(2);
const folder = findBuiltPolicy();
if (folder === undefined) throw new Error("Cannot look for uses: the policy is not built. Run image/build");
const known = new Map([...parseUses(await readTable())].filter(([, scenario]) => scenario !== UNSEEN));
const seen =
  words[0] === "--read"
    ? words
        .slice(1)
        .map((path) => readFileSync(path, "utf8"))
        .join("")
    : await watch(folder);
const uses = addSeen({ policy: readOurPolicy(folder), rights: OUR_RIGHTS }, known, seen);
await Bun.write(TABLE, formatUses(OUR_RIGHTS, uses));

async function readTable(): Promise<string> {
  return (await Bun.file(TABLE).exists()) ? await Bun.file(TABLE).text() : "";
}

/** Runs the test files under a policy that tells of each use. */
async function watch(built: string): Promise<string> {
  const audited = buildAudited(
    built,
    OUR_RIGHTS.filter((right) => !known.has(formatRight(right))),
  );
  try {
    await node(["put", binaryOf(`${audited}/store`), `${ROOT}test/policy/collect.awk`, ON_NODE]);
  } finally {
    rmSync(audited, { recursive: true });
  }
  await node(["ssh", `dmesg -c >/dev/null; dd if=${ON_NODE}/policy.33 of=/sys/fs/selinux/load bs=16M`]);
  await node([
    "ssh",
    `(awk -f ${ON_NODE}/collect.awk /proc/kmsg >${ON_NODE}/seen) </dev/null >/dev/null 2>&1 &`,
  ]);
  for (const file of words) {
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

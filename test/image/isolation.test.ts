import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename } from "node:path";
import type { Run, Runs } from "../node/isolation/attempt.ts";
import { EXCEPTIONS, type Exception } from "../node/isolation/exceptions.ts";
import { CONFINED, findFaults, joinRuns, type Row } from "../node/isolation/judge.ts";
import { buildAdversary, FOLDER, makeRuns } from "../node/isolation/on-the-node.ts";
import { formatProof } from "../node/isolation/table.ts";
import { directBoot } from "./boots.ts";
import { bootMachine, IMAGE, type Machine } from "./machine.ts";

const whereBuilt = existsSync(`${IMAGE}/initrd`) ? describe : describe.skip;
const SPARE_DISK = "/dev/vdb";
const SPARE_BYTES = 4 * 1024 * 1024;
const WANTED: readonly Run[] = [...CONFINED, "control"];

/** What is otherwise than on the test machine. */
const PRODUCTS: readonly Exception[] = [
  { id: "exec.qemu-img", runs: CONFINED, verdict: "untried", reason: "the product has no qemu-img" },
  ...["secret.mem", "secret.port", "secret.kallsyms"].map((id) => ({
    id,
    runs: ["control"] as const,
    verdict: "refused" as const,
    reason: "the kernel is locked down, and tells its addresses nobody",
  })),
];

/** The adversary of the test machine (test/node/isolation.test.ts), on the product. */
whereBuilt("the product's image, with a guest that was taken over", () => {
  const folder = mkdtempSync(`${tmpdir()}/svirt-adversary-`);
  let machine: Machine;
  let rows: readonly Row[];

  beforeAll(async () => {
    await makeDisks(folder);
    machine = await bootMachine(
      directBoot(({ admin }) => `svirt.key=${admin} svirt.config=none svirt.data=none`, disksIn(folder)),
    );
    // Nothing is run from there on a node, and nobody enters another domain by what is there: but for this.
    await machine.run("mount -o remount,exec,suid /srv");
    await machine.run(
      `mkdir /srv/tools ${FOLDER}; mount -t ext4 -o ro,context=system_u:object_r:var_t:s0 /dev/vda /srv/tools; cp /srv/tools/* ${FOLDER}; umount /srv/tools`,
    );
    rows = joinRuns(await tryAll(machine), [...EXCEPTIONS, ...PRODUCTS]);
    process.stderr.write(`${formatProof(rows, WANTED)}\n`);
  }, 900_000);
  afterAll(async () => {
    await machine.stop();
    rmSync(folder, { recursive: true });
  });

  test("reaches nothing of its neighbour's, of the host's secrets or of the host", () => {
    expect(findFaults(rows, CONFINED)).toEqual([]);
    expect(rows.filter((row) => row.attempt.group !== "own").length).toBeGreaterThan(200);
  });

  test("where the same tries of an unconfined root get at the neighbour and at the secrets", () => {
    const walls = rows.filter(({ attempt: { group } }) => group === "neighbour" || group === "secrets");
    expect(walls.length).toBeGreaterThan(40);
    expect(findFaults(walls, ["control"])).toEqual([]);
  });
});

/** All runs, the control last: it spares nothing. */
async function tryAll(machine: Machine): Promise<Runs> {
  const script = (...words: string[]): string =>
    `SVIRT_SPARE_DISK=${SPARE_DISK} sh ${FOLDER}/isolation.sh ${words.join(" ")}`;
  await machine.run(script("set-up"));
  return await makeRuns(WANTED, (run) => machine.run(script("run", run)));
}

/** The first has the adversary on it, and is the node's; the second may be a guest's. */
async function makeDisks(folder: string): Promise<void> {
  mkdirSync(`${folder}/tools`);
  for (const file of await buildAdversary()) copyFileSync(file, `${folder}/tools/${basename(file)}`);
  run(["mke2fs", "-q", "-t", "ext4", "-d", `${folder}/tools`, `${folder}/tools.img`, "32M"]);
  writeFileSync(`${folder}/spare.img`, new Uint8Array(SPARE_BYTES));
}

function disksIn(folder: string): string[] {
  return ["tools", "spare"].flatMap((name) => [
    ...["-drive", `if=none,id=${name},format=raw,file=${folder}/${name}.img`],
    ...["-device", `virtio-blk-pci,drive=${name}`],
  ]);
}

function run(command: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...command]);
  if (exitCode !== 0) throw new Error(`Cannot run ${command.join(" ")}: ${stderr.toString()}`);
}

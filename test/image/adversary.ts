import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { Run } from "../node/isolation/attempt.ts";
import { EXCEPTIONS, type Exception } from "../node/isolation/exceptions.ts";
import { CONFINED, joinRuns, type Row } from "../node/isolation/judge.ts";
import { buildAdversary, FOLDER, makeRuns } from "../node/isolation/on-the-node.ts";
import type { Machine } from "./machine.ts";

const SPARE_DISK = "/dev/vdb";
const SPARE_BYTES = 4 * 1024 * 1024;

/** Differences from the test machine. */
const PRODUCTS: readonly Exception[] = [
  { id: "exec.qemu-img", runs: CONFINED, verdict: "untried", reason: "the product has no qemu-img" },
  ...["device.vfio", "device.mapper"].map((id) => ({
    id,
    runs: ["control"] as const,
    verdict: "refused" as const,
    reason: "nothing has loaded the device's module",
  })),
  ...["secret.mem", "secret.port", "secret.kallsyms"].map((id) => ({
    id,
    runs: ["control"] as const,
    verdict: "refused" as const,
    reason: "the kernel is locked down, and tells its addresses nobody",
  })),
];

/**
 * Makes two disks in the folder, and returns QEMU's arguments for them. The first contains the adversary of
 * the test machine (test/node/adversary) and belongs to the node; the second is for a guest. They must be the
 * machine's first disks.
 */
export async function makeAdversaryDisks(folder: string): Promise<readonly string[]> {
  mkdirSync(`${folder}/tools`);
  for (const file of await buildAdversary()) copyFileSync(file, `${folder}/tools/${basename(file)}`);
  run(["mke2fs", "-q", "-t", "ext4", "-d", `${folder}/tools`, `${folder}/tools.img`, "32M"]);
  writeFileSync(`${folder}/spare.img`, new Uint8Array(SPARE_BYTES));
  return ["tools", "spare"].flatMap((name) => [
    ...["-drive", `if=none,id=${name},format=raw,file=${folder}/${name}.img`],
    ...["-device", `virtio-blk-pci,drive=${name}`],
  ]);
}

/**
 * Makes these runs on a machine with these disks, with guests of that type. If the control is among them, it
 * is the last run: it spares nothing.
 */
export async function tryOnProduct(
  machine: Machine,
  wanted: readonly Run[],
  type: "kvm" | "qemu" = "kvm",
): Promise<readonly Row[]> {
  const script = (...words: string[]): string =>
    `SVIRT_SPARE_DISK=${SPARE_DISK} SVIRT_TYPE=${type} sh ${FOLDER}/isolation.sh ${words.join(" ")}`;
  // A node forbids programs and domain transitions from files in /srv; only this test allows them.
  await machine.run("mount -o remount,exec,suid /srv");
  await machine.run(
    `mkdir /srv/tools ${FOLDER}; mount -t ext4 -o ro,context=system_u:object_r:var_t:s0 /dev/vda /srv/tools; cp /srv/tools/* ${FOLDER}; umount /srv/tools`,
  );
  await machine.run(script("set-up"));
  const runs = await makeRuns(wanted, (one) => machine.run(script("run", one)));
  if (!wanted.includes("control")) await machine.run(script("tear-down"));
  return joinRuns(runs, [...EXCEPTIONS, ...PRODUCTS]);
}

function run(command: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...command]);
  if (exitCode !== 0) throw new Error(`Cannot run ${command.join(" ")}: ${stderr.toString()}`);
}

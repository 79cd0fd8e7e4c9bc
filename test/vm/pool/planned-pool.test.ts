import { describe, expect, test } from "bun:test";
import { formatChange } from "../../../src/plan/change/object-change.ts";
import { planOnly } from "../../../src/vm/object-change/carry-out.ts";
import { buildPool, planPoolBuild } from "../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { poolRemoval } from "../../../src/vm/pool/delete-pool.ts";
import { poolEnd } from "../../../src/vm/pool/end-pool.ts";
import { poolStart, startPool } from "../../../src/vm/pool/start-pool.ts";
import { snapshot } from "../../memory-host/machine.ts";
import { ISCSI_POOL, makeScsiMachine } from "../../scenes/devices.ts";
import { MemoryLvm } from "../../scenes/lvm.ts";
import { makeStorageMachine, netXml } from "../../scenes/mounted-pools.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { nodeOn } from "../../scenes/scene.ts";

const NOT_BUILT = { isBuilt: false };
const GROUP = "<source><device path='/dev/sdb'/><name>vg</name></source>";

type Plan = Awaited<ReturnType<typeof planOnly>>;

function textOf(plan: Plan): string {
  return plan === undefined ? "" : formatChange(plan);
}

describe("the printed plan of a pool whose source is brought up", () => {
  test("of a server's folder mounts it with its labels, and unmounts it", async () => {
    const machine = makeStorageMachine();
    const node = nodeOn(machine);
    await definePool(node, netXml());
    const before = snapshot(machine);
    const start = textOf(await planOnly(node, poolStart(node, "net", NOT_BUILT)));
    expect(start).toMatch(/1 {2}write .*net\.xml\n {2}2 {2}mount .* at .* \(nfs.*labels of its own/);
    expect(start).toContain(
      "-- after an interruption the same command goes on, or the opposite one undoes it --",
    );
    expect(snapshot(machine)).toEqual(before);
    await startPool(node, "net", NOT_BUILT);
    const end = textOf(await planOnly(node, poolEnd(node, "net")));
    expect(end).toMatch(/1 {2}unmount .*\n {2}2 {2}remove .*net\.xml/);
    expect(machine.mounts.list()).toHaveLength(1);
  });

  test("of a volume group has the commands of LVM that are then run", async () => {
    const machine = makeScsiMachine();
    const lvm = new MemoryLvm(machine, 64 * 1024 * 1024);
    const node = nodeOn(machine);
    await definePool(node, otherPoolXml("logical", GROUP));
    const start = textOf(await planOnly(node, poolStart(node, "other", { isBuilt: true })));
    const words = ["pvcreate --yes /dev/sdb", "vgcreate vg /dev/sdb", "vgchange -aly vg", "write /run"];
    expect(words.map((one) => start.includes(one))).toEqual(words.map(() => true));
    const build = textOf(await planPoolBuild(node, "other", {}));
    expect([build.includes("vgcreate"), build.includes("vgchange"), lvm.groups.size]).toEqual([
      true,
      false,
      0,
    ]);
    await buildPool(node, "other");
    const removal = textOf(await planOnly(node, poolRemoval(node, "other")));
    expect(removal).toMatch(/1 {2}.*vgremove vg\n {2}2 {2}.*pvremove \/dev\/sdb/);
    await startPool(node, "other", NOT_BUILT);
    expect(textOf(await planOnly(node, poolEnd(node, "other")))).toMatch(
      /1 {2}remove .*\n {2}2 {2}.*-aln vg/,
    );
    expect(lvm.groups.size).toBe(1);
  });

  test("of an iSCSI target logs in to it, and changes nothing", async () => {
    const machine = makeScsiMachine();
    machine.files.remove("/sys/class/iscsi_session/session1");
    const run: string[] = [];
    machine.runProgram = (words) => {
      run.push(words.join(" "));
      return { code: 0, errors: "" };
    };
    const node = nodeOn(machine);
    await definePool(node, otherPoolXml("iscsi", ISCSI_POOL));
    const start = textOf(await planOnly(node, poolStart(node, "other", NOT_BUILT)));
    expect(start).toMatch(/1 {2}log in to the iSCSI target iqn.*\n {2}2 {2}write /);
    expect(run).toEqual([]);
  });
});

import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../../src/state/definitions.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { readRecord } from "../../../src/state/record.ts";
import { listSnapshotMerges, writeSnapshotMerge } from "../../../src/state/snapshots/snapshot-merge.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { recoverGuest } from "../../../src/vm/recover/recover.ts";
import { recoverBefore } from "../../../src/vm/recover/recover-before.ts";
import { startNamed } from "../../../src/vm/save/restore-domain.ts";
import { revertToSnapshot } from "../../../src/vm/snapshot/revert-snapshot.ts";
import { startDefinition } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { IMAGES } from "../../scenes/block.ts";
import { expectUnlabelled } from "../../scenes/block-checks.ts";
import { hanging, machineWithBoth } from "../../scenes/hanging-server.ts";
import { NET } from "../../scenes/mounted-pools.ts";
import { diskXml, domainXml, errorOf, nodeOn, OTHER, reapAll, UUID } from "../../scenes/scene.ts";
import { machineThatIsOff, remove, seen, snapshotsOf, TOP } from "../../scenes/snapshots.ts";

/** Does the work once QEMU has a job. */
function onceMerging(machine: Machine, work: () => void): void {
  const look = (): void => {
    if (machine.processes.qemuOf(UUID)?.devices?.jobs.list().length === 1) work();
    else machine.after(1, look);
  };
  machine.after(1, look);
}

function endQemu(machine: Machine, status: number): void {
  machine.processes.end(machine.processes.qemuOf(UUID)?.pid ?? 0, status);
}

/** Expects that the domain is off, and was not started again. */
function expectOff(machine: Machine): void {
  expect([readRecord(nodeOn(machine), UUID), machine.processes.qemuOf(UUID)]).toEqual([undefined, undefined]);
  expectUnlabelled(machine);
}

const RESTARTS = "<on_poweroff>restart</on_poweroff><on_crash>restart</on_crash>";

describe("a guest that was off stays off", () => {
  test.each([
    ["powers off", 0],
    ["is killed", 137],
  ])("when its QEMU %s during the merge, and the reaper cleans up", async (_, status) => {
    const machine = await machineThatIsOff({ lifecycle: RESTARTS });
    let reaping: Promise<void> | undefined;
    onceMerging(machine, () => {
      endQemu(machine, status);
      reaping = recoverGuest(nodeOn(machine), UUID);
    });
    await errorOf(remove("s2")(nodeOn(machine)));
    await reaping;
    await reapAll(machine);
    expectOff(machine);
    expect(await remove("s2")(nodeOn(machine))).toEqual([]);
  });

  test("when svirt, the reaper and QEMU are killed, and the next call cleans up", async () => {
    const machine = await machineThatIsOff({ lifecycle: RESTARTS });
    const node = nodeOn(machine);
    writeSnapshotMerge(node, UUID, { name: "s2", starts: true, disks: [] });
    const definition = readDefinition(node, "vm1");
    if (definition !== undefined) await startDefinition(node, definition, { isPaused: true });
    expect(readRecord(node, UUID)?.state).toBe("running");
    for (const process of machine.processes.list())
      if (process.role === "reaper") machine.processes.signal(process, "SIGKILL");
    endQemu(machine, 137);
    expect((await recoverBefore(nodeOn(machine), "all")).errors).toEqual([]);
    expectOff(machine);
    expect(listSnapshotMerges(nodeOn(machine))).toEqual([]);
  });
});

test("a start of the domain is refused while its guest is there only for the merge", async () => {
  const machine = await machineThatIsOff();
  let started: Promise<unknown> | undefined;
  onceMerging(machine, () => {
    started = errorOf(startNamed(nodeOn(machine), UUID, { forceBoot: false }));
  });
  expect(await remove("s2")(nodeOn(machine))).toEqual([]);
  expect(await started).toMatchObject({
    kind: "wrong-state",
    message:
      "Requested operation is not valid: domain 'vm1' is active only while a snapshot of it is deleted",
  });
  await reapAll(machine);
  expectOff(machine);
  expect((await startNamed(nodeOn(machine), UUID, { forceBoot: false })).did).toBe(true);
});

test("a commit that QEMU has begun, and svirt undoes, leaves a snapshot that is not reverted to", async () => {
  const whole = nodeOn(await machineThatIsOff());
  await remove("s2")(whole);
  const at = whole.svirt.changes.findIndex((name) => name.includes("block-commit")) + 1;
  expect(at).toBeGreaterThan(0);
  const machine = await machineThatIsOff();
  await errorOf(remove("s2")(nodeOn(machine, { at, moment: "after", how: "fail" })));
  await reapAll(machine);
  expectOff(machine);
  const revert = revertToSnapshot(nodeOn(machine), UUID, { name: "s2", isForced: false });
  expect((await errorOf(revert)).message).toContain("not completed snapshot delete");
  expect(await remove("s2")(nodeOn(machine))).toEqual([]);
});

test("an overlay stays, and the registry's lock waits for no server, if one has ceased to answer", async () => {
  const machine = await snapshotsOf(await machineWithBoth(), {});
  const other = domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(`${NET}/a.img`, "vda") });
  await defineDomain(nodeOn(machine), other);
  const { locked, node } = hanging(machine);
  // Until then the server answers.
  let isSilent = false;
  const host: Instance["host"] = {
    ...node.host,
    inspectFile: (path) => (isSilent ? node : nodeOn(machine)).host.inspectFile(path),
  };
  onceMerging(machine, () => {
    isSilent = true;
    machine.mounts.silent.add(NET);
  });
  expect(await remove("s2")({ ...node, host })).toEqual([
    expect.stringMatching(new RegExp(`^${IMAGES}/top.s2 stays: .*the server of ${NET} has not answered`)),
  ]);
  expect([locked, listSnapshotMerges(nodeOn(machine))]).toEqual([[], []]);
  expect(seen(nodeOn(machine))).toMatchObject({ image: `${IMAGES}/top.s1`, current: "s1" });
  expect(machine.files.find(TOP)).toBeDefined();
});

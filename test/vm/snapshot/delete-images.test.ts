// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../../src/state/definitions.ts";
import { readRecord } from "../../../src/state/record.ts";
import { listSnapshotMerges } from "../../../src/state/snapshots/snapshot-merge.ts";
import { readSnapshots } from "../../../src/state/snapshots/snapshots.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { recoverBefore } from "../../../src/vm/recover/recover-before.ts";
import { managedSaveDomain } from "../../../src/vm/save/save-domain.ts";
import { redefineSnapshot } from "../../../src/vm/snapshot/redefine-snapshot.ts";
import { revertToSnapshot } from "../../../src/vm/snapshot/revert-snapshot.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { commitOn, endOn, IMAGES, takeOn } from "../../scenes/block.ts";
import { expectCleanEnd, expectUnlabelled, sources } from "../../scenes/block-checks.ts";
import { diskXml, domainXml, errorOf, nodeOn, OTHER, reapAll, UUID } from "../../scenes/scene.ts";
import { machineThatIsOff, machineThatRuns, remove, seen, TOP } from "../../scenes/snapshots.ts";

const stored = (name: string, parent: string | undefined, file: string) => ({
  name,
  parent,
  source: expect.objectContaining({ file: `${IMAGES}/${file}` }),
});

describe.each([
  ["that runs", machineThatRuns],
  ["that is off", machineThatIsOff],
])("of a guest %s", (_, prepare) => {
  test("the current snapshot is merged into the image below, which the guest gets", async () => {
    const machine = await prepare();
    expect(await remove("s2")(nodeOn(machine))).toEqual([]);
    expect(seen(nodeOn(machine))).toEqual({
      image: `${IMAGES}/top.s1`,
      current: "s1",
      stored: [stored("s1", undefined, "top.qcow2")],
      images: ["top.qcow2", "top.s1"],
    });
    expect(await remove("s1")(nodeOn(machine))).toEqual([]);
    expect(seen(nodeOn(machine))).toEqual({
      image: TOP,
      current: undefined,
      stored: [],
      images: ["top.qcow2"],
    });
    expect(listSnapshotMerges(nodeOn(machine))).toEqual([]);
  });

  test("one above it is merged below, and its child then has the image below", async () => {
    const machine = await prepare();
    expect(await remove("s1")(nodeOn(machine))).toEqual([]);
    expect(seen(nodeOn(machine))).toEqual({
      image: `${IMAGES}/top.s2`,
      current: "s2",
      stored: [stored("s2", undefined, "top.qcow2")],
      images: ["top.qcow2", "top.s2"],
    });
    const header = new TextDecoder("latin1").decode(machine.files.get(`${IMAGES}/top.s2`).bytes);
    expect(header).toContain(TOP);
    expect(machine.violations).toEqual([]);
  });
});

test("a guest that runs goes on with the image below, and one that is off is off again, without labels", async () => {
  const running = await machineThatRuns();
  await remove("s2")(nodeOn(running));
  expect(sources(running)).toEqual([`${IMAGES}/top.s1 qcow2`, `${IMAGES}/top.s1 qcow2`]);
  await expectCleanEnd(running);
  const off = await machineThatIsOff();
  await remove("s2")(nodeOn(off));
  await reapAll(off);
  expect(readRecord(nodeOn(off), UUID)).toBeUndefined();
  expectUnlabelled(off);
});

describe("what else needs the images", () => {
  const other = (file: string): Uint8Array =>
    domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(`${IMAGES}/${file}`, "vda") });
  const above = (machine: Machine, name: string, below: string): void => {
    const bytes = qcow2Bytes({ backingFile: `${IMAGES}/${below}`, extensions: [[0xe2792aca, "qcow2"]] });
    machine.files.put(`${IMAGES}/${name}`, "file", { bytes });
  };

  test.each<[string, string, (machine: Machine) => unknown]>([
    [
      "another domain has the image below",
      "vm2",
      (machine) => defineDomain(nodeOn(machine), other("top.s1")),
    ],
    [
      "another domain's image is above it",
      "vm2",
      (machine) => {
        above(machine, "two.qcow2", "top.s1");
        return defineDomain(nodeOn(machine), other("two.qcow2"));
      },
    ],
    [
      "an image without a domain is above it",
      "two.qcow2",
      (machine) => above(machine, "two.qcow2", "top.s1"),
    ],
    ["an image is above the overlay", "two.qcow2", (machine) => above(machine, "two.qcow2", "top.s2")],
  ])("%s: the deletion is refused and changes nothing", async (_, words, prepare) => {
    const machine = await machineThatIsOff();
    await prepare(machine);
    const below = machine.files.get(`${IMAGES}/top.s1`);
    const before = { ...seen(nodeOn(machine)), bytes: below.bytes.slice() };
    const error = await errorOf(remove("s2")(nodeOn(machine)));
    expect([error.kind, error.message]).toEqual(["in-use", expect.stringContaining(words)]);
    await reapAll(machine);
    expect({ ...seen(nodeOn(machine)), bytes: below.bytes }).toEqual(before);
    expect([readRecord(nodeOn(machine), UUID), listSnapshotMerges(nodeOn(machine))]).toEqual([undefined, []]);
    expectUnlabelled(machine);
  });

  test("an overlay of a snapshot that a client has written is no file of another guest", async () => {
    const machine = await machineThatIsOff();
    await defineDomain(nodeOn(machine), other("private1.raw"));
    const [, second] = readSnapshots(nodeOn(machine), UUID).snapshots;
    for (const [from, to] of [
      [`${IMAGES}/top.s2`, `${IMAGES}/private1.raw`],
      [`${IMAGES}/top.s1'/>\n        <target`, `${IMAGES}/private1.raw'/>\n        <target`],
    ] as const) {
      const xml = second?.xml.replaceAll(from, to) ?? "";
      expect(xml).toContain("private1.raw");
      const bytes = new TextEncoder().encode(xml);
      await redefineSnapshot(nodeOn(machine), UUID, { bytes, flags: { isCurrent: true, isDiskOnly: false } });
      const before = seen(nodeOn(machine));
      const error = await errorOf(remove("s2")(nodeOn(machine)));
      expect(error.message).toMatch(/could not find base disk source|are not the same/);
      await reapAll(machine);
      expect(seen(nodeOn(machine))).toEqual(before);
      expect(machine.files.find(`${IMAGES}/private1.raw`)).toBeDefined();
      expectUnlabelled(machine);
    }
  });
});

describe("a deletion that QEMU fails", () => {
  test("leaves the overlay and its data; the snapshot is not reverted to, and can be deleted again", async () => {
    const machine = await machineThatIsOff();
    const fail = (): void => {
      const jobs = machine.processes.qemuOf(UUID)?.devices?.jobs;
      const [, id] = /^job (\S+) running$/m.exec(jobs?.list().join("\n") ?? "") ?? [];
      if (id === undefined) machine.after(1, fail);
      else jobs?.fail(id, "No space left on device");
    };
    machine.after(1, fail);
    const error = await errorOf(remove("s2")(nodeOn(machine)));
    expect(error.message).toContain("block commit failed while deleting disk 'vda' snapshot");
    await reapAll(machine);
    expect(readRecord(nodeOn(machine), UUID)).toBeUndefined();
    expect(seen(nodeOn(machine)).images).toEqual(["top.qcow2", "top.s1", "top.s2"]);
    const revert = revertToSnapshot(nodeOn(machine), UUID, { name: "s2", isForced: false });
    expect((await errorOf(revert)).message).toBe(
      "Requested operation is not valid: snapshot disk 'vda' was target of not completed snapshot delete",
    );
    expect((await errorOf(remove("s1")(nodeOn(machine)))).message).toContain("not completed snapshot delete");
    // One that a client starts paused is not ended.
    const xml = new TextEncoder().encode(readDefinition(nodeOn(machine), "vm1")?.xml ?? "");
    await startDomain(nodeOn(machine), xml, { isPaused: true });
    await recoverBefore(nodeOn(machine), "all");
    expect(machine.processes.qemuOf(UUID)?.status).toBe("prelaunch");
    expect(await remove("s2")(nodeOn(machine))).toEqual([]);
    expect(machine.processes.qemuOf(UUID)?.status).toBe("prelaunch");
    expect(seen(nodeOn(machine)).images).toEqual(["top.qcow2", "top.s1"]);
  });
});

test("a guest that somebody resumes meanwhile runs on, with the image below", async () => {
  const machine = await machineThatIsOff();
  const resume = (): void => {
    const qemu = machine.processes.qemuOf(UUID);
    if (qemu?.devices?.jobs.list().length === 1) qemu.status = "running";
    else machine.after(1, resume);
  };
  machine.after(1, resume);
  expect(await remove("s2")(nodeOn(machine))).toEqual([]);
  expect(machine.processes.qemuOf(UUID)?.status).toBe("running");
  expect(sources(machine)).toEqual([`${IMAGES}/top.s1 qcow2`, `${IMAGES}/top.s1 qcow2`]);
  await expectCleanEnd(machine);
});

test("a job of the guest's disk, and another deletion, are waited for", async () => {
  const machine = await machineThatRuns();
  await commitOn(nodeOn(machine), { isShallow: true });
  const message =
    "Operation not supported: cannot delete external snapshots when there is another active block job";
  expect((await errorOf(remove("s2")(nodeOn(machine)))).message).toBe(message);
  await endOn(nodeOn(machine), "abort");
  const first = remove("s2")(nodeOn(machine));
  expect((await errorOf(remove("s1")(nodeOn(machine)))).message).toBe(message);
  expect(await first).toEqual([]);
});

test("a saved state keeps the images of a domain that is off", async () => {
  const machine = await machineThatRuns();
  await managedSaveDomain(nodeOn(machine), UUID, { resumes: true });
  await reapAll(machine);
  const before = snapshot(machine);
  expect((await errorOf(remove("s2")(nodeOn(machine)))).kind).toBe("wrong-state");
  expect(snapshot(machine)).toEqual(before);
});

// qemuSnapshotDeleteValidate() of libvirt
test.each([
  ["s1", "tree", "deletion of external children disk snapshots not supported"],
  ["s1", "children", "deletion of external children disk snapshots not supported"],
  ["s2", "tree", "deletion of external disk snapshots with children not supported"],
] as const)("the deletion of %s as %s is refused with libvirt's error", async (name, which, words) => {
  const machine = await machineThatIsOff();
  const before = snapshot(machine);
  const { libvirt, message } = await errorOf(remove(name, which)(nodeOn(machine)));
  expect([message, libvirt.code, libvirt.domain]).toEqual([`unsupported configuration: ${words}`, 67, 10]);
  expect(snapshot(machine)).toEqual(before);
});

test("an overlay that another image stands on since is merged below the top", async () => {
  const machine = await machineThatRuns();
  await takeOn(nodeOn(machine), { name: "s3" });
  expect(await remove("s2")(nodeOn(machine))).toEqual([]);
  expect(seen(nodeOn(machine))).toMatchObject({
    image: `${IMAGES}/top.s3`,
    current: "s1",
    images: ["top.qcow2", "top.s1", "top.s3"],
  });
});

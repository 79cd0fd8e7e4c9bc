import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { qcow2Bytes } from "../../images/qcow2-bytes.ts";
import type { Machine } from "../../memory-host/machine.ts";
import {
  commitOn,
  copyOn,
  endOn,
  IMAGES,
  machineWithChain,
  pullOn,
  takeOn,
  waitOn,
} from "../../scenes/block.ts";
import {
  accessOf,
  CONTENT,
  expectCleanEnd,
  expectRefused,
  NEW,
  OTHER,
  sources,
} from "../../scenes/block-checks.ts";
import { deviceOf, machineWithDisks, recordOf, wholeState } from "../../scenes/hotplug.ts";
import {
  diskXml,
  domainXml,
  errorOf,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  reapAll,
  sweepAll,
  UUID,
} from "../../scenes/scene.ts";

describe("a commit of the disk's own image", () => {
  test("gives the guest the base, and the overlay its label back, when it pivots", async () => {
    const machine = await machineWithChain();
    await takeOn(nodeOn(machine));
    const own = labelOf(machine, `${IMAGES}/top.s1`);
    await commitOn(nodeOn(machine), { isShallow: true });
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(own);
    expect(accessOf(machine, `${IMAGES}/top.qcow2`)).toEqual(["read-write"]);
    expect(await waitOn(nodeOn(machine))).toBe("ready");
    await endOn(nodeOn(machine), "pivot");
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(own);
    expect(labelOf(machine, `${IMAGES}/top.s1`)).toBe(NEW);
    expect(accessOf(machine, `${IMAGES}/top.s1`)).toEqual([]);
    expect(sources(machine)).toEqual([`${IMAGES}/top.qcow2 qcow2`, `${IMAGES}/top.qcow2 qcow2`]);
    await expectCleanEnd(machine);
  });

  test("leaves the disk and its labels as they were when the overlay is kept", async () => {
    const machine = await machineWithChain();
    const before = wholeState(machine);
    await commitOn(nodeOn(machine));
    await waitOn(nodeOn(machine));
    await endOn(nodeOn(machine), "abort");
    expect(wholeState(machine)).toEqual(before);
  });

  test("leaves them also above a snapshot, which can then be committed", async () => {
    const machine = await machineWithChain();
    await takeOn(nodeOn(machine));
    const before = wholeState(machine);
    await commitOn(nodeOn(machine), { isShallow: true });
    await endOn(nodeOn(machine), "abort");
    expect(wholeState(machine)).toEqual(before);
    await commitOn(nodeOn(machine), { isShallow: true });
    await waitOn(nodeOn(machine));
    await endOn(nodeOn(machine), "pivot");
    expect(sources(machine)[0]).toBe(`${IMAGES}/top.qcow2 qcow2`);
  });

  test("leaves them when it is given up, and when QEMU fails", async () => {
    const machine = await machineWithChain();
    const before = wholeState(machine);
    await commitOn(nodeOn(machine));
    await endOn(nodeOn(machine), "abort");
    expect(wholeState(machine)).toEqual(before);
    await commitOn(nodeOn(machine));
    machine.processes
      .qemuOf(UUID)
      ?.devices?.jobs.fail("active-commit-vda-libvirt-2-storage", "No space left on device");
    expect(await waitOn(nodeOn(machine))).toBe("failed");
    expect(wholeState(machine)).toEqual(before);
  });

  test("does not grow the record by snapshots that come and go", async () => {
    const machine = await machineWithChain();
    const counts: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      await takeOn(nodeOn(machine));
      await commitOn(nodeOn(machine), { isShallow: true });
      await waitOn(nodeOn(machine));
      await endOn(nodeOn(machine), "pivot");
      counts.push(recordOf(machine).steps.length);
      machine.files.remove(`${IMAGES}/top.s1`);
    }
    expect(counts).toEqual([counts[0], counts[0], counts[0]] as number[]);
  });

  test("is refused while another guest, or another disk, stands on the base", async () => {
    const machine = await machineWithChain();
    machine.files.put(`${IMAGES}/top2.qcow2`, "file", {
      bytes: machine.files.get(`${IMAGES}/top.qcow2`).bytes,
    });
    const xml = domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(`${IMAGES}/top2.qcow2`, "vda") });
    await startDomain(nodeOn(machine), xml);
    const before = wholeState(machine);
    await expectRefused(machine, commitOn(nodeOn(machine)), "the guest vm2 uses that image");
    expect(wholeState(machine)).toEqual(before);
    const twice = await machineWithChain();
    twice.files.put(`${IMAGES}/top2.qcow2`, "file", { bytes: twice.files.get(`${IMAGES}/top.qcow2`).bytes });
    await destroyDomain(nodeOn(twice), "vm1");
    await reapAll(twice);
    const disks = diskXml(`${IMAGES}/top.qcow2`, "vda") + diskXml(`${IMAGES}/top2.qcow2`, "vdb");
    await startDomain(nodeOn(twice), domainXml({ disks }));
    await expectRefused(twice, commitOn(nodeOn(twice)), "other disk uses that image");
  });

  test("keeps every other guest from the base while it runs", async () => {
    const machine = await machineWithChain();
    await commitOn(nodeOn(machine));
    machine.files.put(`${IMAGES}/top2.qcow2`, "file", {
      bytes: machine.files.get(`${IMAGES}/top.qcow2`).bytes,
    });
    const xml = domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(`${IMAGES}/top2.qcow2`, "vda") });
    expect((await errorOf(startDomain(nodeOn(machine), xml))).kind).toBe("in-use");
    await endOn(nodeOn(machine), "abort");
    expect((await startDomain(nodeOn(machine), xml)).did).toBe(true);
  });

  test.each([
    [{ isActive: false }, "commit of 'vda' active layer requires active flag"],
    [{ top: `${IMAGES}/base.raw`, isActive: false }, "has no backing file"],
    [{ base: `${IMAGES}/none` }, `could not find image '${IMAGES}/none' beneath`],
    [{ path: "vdz" }, "disk 'vdz' not found in domain"],
  ])("refuses %j in libvirt's words", async (options, words) => {
    const machine = await machineWithChain();
    await expectRefused(machine, commitOn(nodeOn(machine), options), words);
  });
});

// Seen at libvirtd 11.3.0.
test("a commit of a disk of one image is refused with libvirt's error", async () => {
  const machine = await machineWithDisks(diskXml(`${IMAGES}/private2.raw`, "vdb"));
  for (const isActive of [true, false]) {
    const { libvirt, message } = await errorOf(commitOn(nodeOn(machine), { path: "vdb", isActive }));
    const words = "invalid argument: could not find base image in chain for 'vdb'";
    expect([message, libvirt.code, libvirt.domain]).toEqual([words, 8, 18]);
  }
});

test("a commit below takes the image out of the chain, and the base is content again", async () => {
  const machine = await machineWithChain();
  await takeOn(nodeOn(machine));
  await takeOn(nodeOn(machine), { name: "s2" });
  await commitOn(nodeOn(machine), { isActive: false, top: `${IMAGES}/top.s1`, base: `${IMAGES}/top.qcow2` });
  expect(accessOf(machine, `${IMAGES}/top.qcow2`)).toEqual(["read-write"]);
  expect(await waitOn(nodeOn(machine))).toBe("done");
  expect(labelOf(machine, `${IMAGES}/top.s1`)).toBe(NEW);
  expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(CONTENT);
  expect(accessOf(machine, `${IMAGES}/top.qcow2`)).toEqual(["read-only"]);
  expect(sources(machine)[0]).toBe(`${IMAGES}/top.s2 qcow2`);
  await expectCleanEnd(machine);
});

test("a pull gives back what is no longer below, and is carried out by whoever comes", async () => {
  const machine = await machineWithChain();
  await takeOn(nodeOn(machine));
  await pullOn(nodeOn(machine), `${IMAGES}/base.raw`);
  expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(CONTENT);
  await sweepAll(machine);
  expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(ORIGINAL);
  expect(labelOf(machine, `${IMAGES}/base.raw`)).toBe(CONTENT);
  expect(recordOf(machine).jobs).toBeUndefined();
  await expectCleanEnd(machine);
});

describe("a copy", () => {
  test("takes the disk's place, and the whole chain is given back", async () => {
    const machine = await machineWithChain();
    const own = labelOf(machine, `${IMAGES}/top.qcow2`);
    await copyOn(nodeOn(machine));
    expect(labelOf(machine, `${IMAGES}/copy.qcow2`)).toBe(own);
    await waitOn(nodeOn(machine));
    await endOn(nodeOn(machine), "pivot");
    expect(sources(machine)).toEqual([`${IMAGES}/copy.qcow2 qcow2`, `${IMAGES}/copy.qcow2 qcow2`]);
    expect(["top.qcow2", "base.raw"].map((name) => labelOf(machine, `${IMAGES}/${name}`))).toEqual([
      ORIGINAL,
      ORIGINAL,
    ]);
    await expectCleanEnd(machine);
  });

  test("is refused where no XML could name it", async () => {
    const machine = await machineWithChain();
    const before = wholeState(machine);
    const copied = copyOn(nodeOn(machine), { dest: `${IMAGES}/a line\nbreak` });
    await expectRefused(machine, copied, "Cannot read /disk/source/@file");
    expect(wholeState(machine)).toEqual(before);
  });

  test("of the disk's own image alone stands on what that stood on", async () => {
    const machine = await machineWithChain();
    await copyOn(nodeOn(machine), { isShallow: true });
    await waitOn(nodeOn(machine));
    await endOn(nodeOn(machine), "pivot");
    expect(labelOf(machine, `${IMAGES}/base.raw`)).toBe(CONTENT);
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(ORIGINAL);
    await expectCleanEnd(machine);
  });

  test("is left behind with its label from before when it is finished", async () => {
    const machine = await machineWithChain();
    const before = wholeState(machine);
    await copyOn(nodeOn(machine), { dest: `${IMAGES}/copy.raw`, format: "raw" });
    await waitOn(nodeOn(machine));
    await endOn(nodeOn(machine), "abort");
    expect(machine.files.get(`${IMAGES}/copy.raw`).bytes.length).toBe(1_048_576);
    expect(labelOf(machine, `${IMAGES}/copy.raw`)).not.toContain("virt");
    machine.files.remove(`${IMAGES}/copy.raw`);
    expect(wholeState(machine)).toEqual(before);
  });

  test("keeps the disk from other changes, and is pivoted only when it is ready", async () => {
    const machine = await machineWithChain();
    await copyOn(nodeOn(machine));
    await expectRefused(machine, endOn(nodeOn(machine), "pivot"), "not ready for pivot yet");
    await expectRefused(machine, takeOn(nodeOn(machine)), "already in active block job");
    const ask = { key: "vm1", options: {}, isDryRun: false };
    const detach = detachDevice(nodeOn(machine), ask, deviceOf(diskXml(`${IMAGES}/top.qcow2`, "vda")));
    await expectRefused(machine, detach, "already in active block job");
    await expectCleanEnd(machine);
  });

  test.each(["add-fd", "blockdev-add", "blockdev-mirror"])(
    "takes all back when QEMU refuses %s",
    async (command) => {
      const machine = await machineWithChain();
      const before = wholeState(machine);
      machine.qemu = { refuses: command };
      await expectRefused(machine, copyOn(nodeOn(machine)), "as the test wants it");
      machine.qemu = {};
      expect(wholeState(machine)).toEqual(before);
    },
  );
});

test("a pull, which ends by itself, cannot be pivoted", async () => {
  const machine = await machineWithChain();
  await pullOn(nodeOn(machine));
  await expectRefused(machine, endOn(nodeOn(machine), "pivot"), "job type 'pull' does not support pivot");
  await expectCleanEnd(machine);
});

describe("a job that fails at its very end, against what was written down", () => {
  const works = [
    ["a pivot", commitOn],
    ["a pull", pullOn],
  ] as const;
  test.each(works)("leaves the disk as it was: %s", async (name, work) => {
    const machine = await machineWithChain();
    const before = wholeState(machine);
    await work(nodeOn(machine));
    const jobs = machine.processes.qemuOf(UUID)?.devices?.jobs;
    if (jobs !== undefined) jobs.failsAtEnd = true;
    if (name === "a pull") expect(await waitOn(nodeOn(machine))).toBe("failed");
    else {
      await waitOn(nodeOn(machine));
      await expectRefused(machine, endOn(nodeOn(machine), "pivot"), "failed to pivot job for disk vda");
    }
    expect(wholeState(machine)).toEqual(before);
    expect(sources(machine)).toEqual([`${IMAGES}/top.qcow2 qcow2`, `${IMAGES}/top.qcow2 qcow2`]);
  });

  test("is not pivoted behind anybody's back where QEMU refused to", async () => {
    const machine = await machineWithChain();
    await commitOn(nodeOn(machine));
    await waitOn(nodeOn(machine));
    machine.qemu = { refuses: "job-complete" };
    await expectRefused(machine, endOn(nodeOn(machine), "pivot"), "as the test wants it");
    machine.qemu = {};
    await sweepAll(machine);
    expect(recordOf(machine).jobs).toMatchObject([{ type: "active-commit", disk: "vda" }]);
    expect(recordOf(machine).jobs?.[0]?.pivots).toBeUndefined();
  });
});

test("a disk without a job has none to end", async () => {
  const machine = await machineWithChain();
  await expectRefused(machine, endOn(nodeOn(machine), "abort"), "disk vda does not have an active block job");
});

describe("a job that begins while another disk's goes on", () => {
  const SECOND = `${IMAGES}/second.qcow2`;

  /** Returns a machine with a second disk, whose image has its own backing file. */
  async function machineWithTwoChains(): Promise<Machine> {
    const machine = makeMachine();
    const bytes = qcow2Bytes({ backingFile: "private1.raw", extensions: [[0xe2792aca, "raw"]] });
    machine.files.put(SECOND, "file", { bytes }).xattrs.set("security.selinux", ORIGINAL);
    const xml = domainXml({ disks: diskXml(`${IMAGES}/top.qcow2`, "vda") + diskXml(SECOND, "vdb") });
    await startDomain(nodeOn(machine), xml);
    return machine;
  }

  test.each([
    ["commit", async (machine: Machine) => await commitOn(nodeOn(machine), { path: "vdb" })],
    ["copy", async (machine: Machine) => await copyOn(nodeOn(machine), { path: "vdb", isShallow: true })],
    ["pull", async (machine: Machine) => await pullOn(nodeOn(machine), undefined, "vdb")],
  ])("as a %s leaves that one in the record", async (_, begin) => {
    const machine = await machineWithTwoChains();
    await copyOn(nodeOn(machine), { dest: `${IMAGES}/first-copy.qcow2`, isShallow: true });
    await begin(machine);
    expect(recordOf(machine).jobs?.map(({ disk }) => disk)).toEqual(["vda", "vdb"]);
  });
});

import { describe, expect, test } from "bun:test";
import { parseDomainText } from "../../../src/domain/document.ts";
import { readDefinition } from "../../../src/state/definitions.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { sampleOf } from "../../sample.ts";
import { IMAGES, machineWithChain, takeOn } from "../../scenes/block.ts";
import {
  accessOf,
  CONTENT,
  expectCleanEnd,
  expectRefused,
  OTHER,
  sources,
} from "../../scenes/block-checks.ts";
import { recordOf, wholeState } from "../../scenes/hotplug.ts";
import {
  diskXml,
  domainXml,
  labelOf,
  nodeOn,
  ORIGINAL,
  reapAll,
  sweepAll,
  UUID,
} from "../../scenes/scene.ts";
import { beStruck, endUnseen, instantsOf } from "../../scenes/strikes.ts";

describe("takeSnapshot()", () => {
  test("gives the guest an overlay with its own label, and what was its image becomes content", async () => {
    const machine = await machineWithChain();
    const own = labelOf(machine, `${IMAGES}/top.qcow2`);
    await takeOn(nodeOn(machine));
    expect(labelOf(machine, `${IMAGES}/top.s1`)).toBe(own);
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(CONTENT);
    expect(accessOf(machine, `${IMAGES}/top.s1`)).toEqual(["read-write"]);
    expect(accessOf(machine, `${IMAGES}/top.qcow2`)).toEqual(["read-only"]);
    expect(sources(machine)).toEqual([`${IMAGES}/top.s1 qcow2`, `${IMAGES}/top.s1 qcow2`]);
    expect(recordOf(machine).jobs).toBeUndefined();
    await expectCleanEnd(machine);
  });

  test("lets another guest stand on what has become content, and a stop leaves that one its label", async () => {
    const machine = await machineWithChain();
    await takeOn(nodeOn(machine));
    const overlay = machine.files.get(`${IMAGES}/top.s1`).bytes;
    machine.files.put(`${IMAGES}/other.qcow2`, "file", { bytes: overlay });
    const xml = domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(`${IMAGES}/other.qcow2`, "vda") });
    await startDomain(nodeOn(machine), xml);
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(CONTENT);
    await destroyDomain(nodeOn(machine), "vm2");
    await reapAll(machine);
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(ORIGINAL);
  });

  test("takes all disks or none, and leaves those out that are said to be", async () => {
    const machine = await machineWithChain(
      diskXml(`${IMAGES}/private1.raw`, "vdb") +
        diskXml(`${IMAGES}/private2.raw`, "vdc") +
        diskXml(`${IMAGES}/install.iso`, "vdd", "<readonly/>"),
    );
    const disks = [{ name: "vdc", snapshot: "no", driver: undefined, file: undefined }];
    await takeOn(nodeOn(machine), { disks });
    expect(["vda", "vdb", "vdc", "vdd"].map((target) => sources(machine, target)[0])).toEqual([
      `${IMAGES}/top.s1 qcow2`,
      `${IMAGES}/private1.s1 qcow2`,
      `${IMAGES}/private2.raw raw`,
      `${IMAGES}/install.iso raw`,
    ]);
    expect(accessOf(machine, `${IMAGES}/private1.raw`)).toEqual(["read-only"]);
    await expectCleanEnd(machine);
  });

  test.each(["add-fd", "blockdev-add", "transaction"])(
    "takes all back when QEMU refuses %s",
    async (command) => {
      const machine = await machineWithChain(diskXml(`${IMAGES}/private1.raw`, "vdb"));
      const before = wholeState(machine);
      machine.qemu = { refuses: command };
      await expectRefused(machine, takeOn(nodeOn(machine)), "as the test wants it");
      machine.qemu = {};
      expect(wholeState(machine)).toEqual(before);
    },
  );

  test.each(["a line\nbreak", "a \u0001 sign"])(
    "is refused where no XML could name the image: %j",
    async (name) => {
      const machine = await machineWithChain();
      const disks = [{ name: "vda", snapshot: undefined, driver: undefined, file: `${IMAGES}/${name}` }];
      const before = wholeState(machine);
      await expectRefused(machine, takeOn(nodeOn(machine), { disks }), "Cannot read ");
      expect(wholeState(machine)).toEqual(before);
    },
  );

  test("does not touch a file that is in the way", async () => {
    const machine = await machineWithChain();
    machine.files.put(`${IMAGES}/top.s1`, "file", { bytes: new Uint8Array([1]) });
    const before = wholeState(machine);
    const words = "external snapshot file for disk vda already exists and is not a block device";
    await expectRefused(machine, takeOn(nodeOn(machine)), words);
    expect(wholeState(machine)).toEqual(before);
  });

  test("takes an overlay that is there, if it names what it will stand on", async () => {
    const machine = await machineWithChain();
    await takeOn(nodeOn(machine));
    const right = machine.files.get(`${IMAGES}/top.s1`).bytes;
    const other = await machineWithChain();
    const file = `${IMAGES}/mine.qcow2`;
    const disks = [{ name: "vda", snapshot: undefined, driver: undefined, file }];
    await expectRefused(other, takeOn(nodeOn(other), { disks, reuses: true }), "missing existing file");
    other.files.put(file, "file", { bytes: other.files.get(`${IMAGES}/top.qcow2`).bytes });
    await expectRefused(other, takeOn(nodeOn(other), { disks, reuses: true }), "header names");
    other.files.put(file, "file", { bytes: right });
    await takeOn(nodeOn(other), { disks, reuses: true });
    expect(sources(other)).toEqual([`${file} qcow2`, `${file} qcow2`]);
    await expectCleanEnd(other);
  });

  test.each([
    ["a format that it does not make", { driver: "raw" }, "is unsupported: raw"],
    ["an internal one", { snapshot: "internal" }, "svirt does not create internal snapshots"],
    ["a disk that is not there", { name: "vdz" }, "no disk named 'vdz'"],
    ["nothing", { snapshot: "no" }, "nothing selected for snapshot"],
    ["a folder that is not there", { file: "/none/x" }, "its folder does not exist"],
  ])("refuses %s", async (_, said, words) => {
    const machine = await machineWithChain();
    const before = wholeState(machine);
    const disk = { name: "vda", snapshot: undefined, driver: undefined, file: undefined, ...said };
    await expectRefused(machine, takeOn(nodeOn(machine), { disks: [disk] }), words);
    expect(wholeState(machine)).toEqual(before);
  });

  test("leaves a definition alone that has the disk elsewhere by now", async () => {
    const machine = await machineWithChain();
    const xml = domainXml({ disks: diskXml(`${IMAGES}/private3.raw`, "vda") });
    await defineDomain(nodeOn(machine), xml);
    await takeOn(nodeOn(machine));
    expect(sources(machine)).toEqual([`${IMAGES}/top.s1 qcow2`, `${IMAGES}/private3.raw raw`]);
  });

  test("writes the images below where the XML had them written", async () => {
    const declared = diskXml(
      `${IMAGES}/top.qcow2`,
      "vda",
      `<backingStore type='file'><format type='raw'/><source file='${IMAGES}/base.raw'/><backingStore/></backingStore>`,
    );
    const machine = await machineWithChain("", declared);
    await takeOn(nodeOn(machine));
    const [disk] = parseDomainText(recordOf(machine).xml).devices.disks;
    const store = disk?.backingStore;
    expect(store?.type === "file" ? [store.source.file, store.backingStore?.type] : store).toEqual([
      `${IMAGES}/top.qcow2`,
      "file",
    ]);
  });
});

test("an overlay that the guest has written into is named by its definition, though svirt was killed", async () => {
  const [overlay, seen] = [`${IMAGES}/top.s1`, new Set<boolean>()];
  // long/killed-block.test.ts has all moments of all calls.
  const instants = (await instantsOf(machineWithChain, takeOn)).filter(({ moment }) => moment === "after");
  for (const strike of sampleOf(instants)) {
    const machine = await machineWithChain();
    await beStruck(machine, takeOn, strike);
    const drive = String(machine.processes.qemuOf(UUID)?.devices?.mediumOf("virtio-disk0"));
    const isOver = drive.startsWith("libvirt-3");
    if (isOver) machine.files.get(overlay).bytes = new Uint8Array([...machine.files.get(overlay).bytes, 1]);
    endUnseen(machine);
    await sweepAll(machine);
    const isNamed = readDefinition(nodeOn(machine), "vm1")?.xml.includes(overlay);
    expect([strike.at, isNamed]).toEqual([strike.at, isOver]);
    seen.add(isOver);
  }
  expect(seen).toEqual(new Set([false, true]));
});

import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../../src/state/definitions.ts";
import { hasManagedSave } from "../../../src/state/managed-save.ts";
import { hasSnapshots } from "../../../src/state/snapshots/snapshots.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { managedSaveDomain } from "../../../src/vm/save/save-domain.ts";
import { startDefinition, startDomain } from "../../../src/vm/start/start.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { diskXml, domainXml, errorOf, nodeOn, OTHER, putText, UUID } from "../../scenes/scene.ts";
import { IMAGES, makePoolMachine } from "../../scenes/volumes.ts";

const DISK = diskXml(`${IMAGES}/private1.raw`, "vda");

describe("deleteVolume() for a client of libvirt", () => {
  const removeDisk = (machine: Machine, key: string) =>
    deleteVolume(nodeOn(machine), { key, pool: "images", mayBeDisk: true });
  const expectKept = async (machine: Machine): Promise<void> => {
    const before = snapshot(machine);
    const { message } = await errorOf(removeDisk(machine, "private1.raw"));
    expect(message).toMatch(
      /^Cannot delete .*\/private1\.raw: the (domain|saved state of the domain) 'vm1' has it$/,
    );
    expect(snapshot(machine)).toEqual(before);
  };
  const volume = (name: string) =>
    `<disk type='volume' device='disk'><driver name='qemu' type='qcow2'/><source pool='images' volume='${name}'/><target dev='vda'/></disk>`;

  test.each([
    ["by its path", "private1.raw", diskXml(`${IMAGES}/private1.raw`, "vda")],
    ["by another name", "private1.raw", diskXml("/srv/link", "vda")],
    ["by its pool", "top.qcow2", volume("top.qcow2")],
  ])("deletes the disk of a domain that is off, named %s", async (_, name, disks) => {
    const machine = makePoolMachine();
    machine.files.put("/srv/link", "symlink", { target: `${IMAGES}/private1.raw` });
    await defineDomain(nodeOn(machine), domainXml({ disks }));
    await removeDisk(machine, name);
    expect(machine.files.find(`${IMAGES}/${name}`)).toBeUndefined();
    expect(readDefinition(nodeOn(machine), "vm1")).toBeDefined();
  });

  test.each([
    ["that a header names", "base.raw", diskXml(`${IMAGES}/top.qcow2`, "vda")],
    ["that a header of a disk by its pool names", "base.raw", volume("top.qcow2")],
    [
      "that the definition names",
      "private1.raw",
      `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${IMAGES}/top.qcow2'/><backingStore type='file'><format type='raw'/><source file='${IMAGES}/private1.raw'/></backingStore><target dev='vda'/></disk>`,
    ],
    [
      "that is both a disk and below one",
      "base.raw",
      `${diskXml(`${IMAGES}/top.qcow2`, "vda")}${diskXml(`${IMAGES}/base.raw`, "vdb")}`,
    ],
  ])("keeps a file below a disk, %s", async (_, name, disks) => {
    const machine = makePoolMachine();
    await defineDomain(nodeOn(machine), domainXml({ disks }));
    const before = snapshot(machine);
    const { message } = await errorOf(removeDisk(machine, name));
    expect(message).toBe(`Cannot delete ${IMAGES}/${name}: the domain 'vm1' has it`);
    expect(snapshot(machine)).toEqual(before);
  });

  test.each([
    ["a medium", diskXml(`${IMAGES}/private1.raw`, "sda").replace("</disk>", "<readonly/></disk>")],
    [
      "a CD",
      diskXml(`${IMAGES}/private1.raw`, "sda")
        .replace("device='disk'", "device='cdrom'")
        .replace("bus='virtio'", "bus='sata'"),
    ],
    ["a disk that others may share", diskXml(`${IMAGES}/private1.raw`, "vda", "<shareable/>")],
  ])("keeps %s", async (_, disks) => {
    const machine = makePoolMachine();
    await defineDomain(nodeOn(machine), domainXml({ disks }));
    await expectKept(machine);
  });

  test("keeps the disk of two domains", async () => {
    const machine = makePoolMachine();
    await defineDomain(nodeOn(machine), domainXml({ disks: DISK }));
    await defineDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks: DISK }));
    await expectKept(machine);
  });

  test("keeps a disk that only the definition of a running guest has", async () => {
    const machine = makePoolMachine();
    await startDomain(nodeOn(machine), domainXml());
    await defineDomain(nodeOn(machine), domainXml({ disks: DISK }));
    await expectKept(machine);
  });

  test("keeps the disk of a domain whose saved state cannot be read", async () => {
    const machine = makePoolMachine();
    await defineDomain(nodeOn(machine), domainXml({ disks: DISK }));
    putText(machine, "/var/lib/svirt/save/vm1.save", "LibvirtQem");
    expect(hasManagedSave(nodeOn(machine), "vm1")).toBe(true);
    await expectKept(machine);
  });

  test("keeps the disk of a domain with a snapshot", async () => {
    const machine = makePoolMachine();
    await defineDomain(nodeOn(machine), domainXml({ disks: DISK }));
    putText(machine, `/var/lib/svirt/snapshots/${UUID}.json`, JSON.stringify({ snapshots: [] }));
    expect(hasSnapshots(nodeOn(machine), UUID)).toBe(true);
    await expectKept(machine);
  });

  test.each([
    ["the emulator", /<emulator>.*<\/emulator>/, `<emulator>${IMAGES}/private1.raw</emulator>`],
    ["a kernel too", "<os>", `<os><kernel>${IMAGES}/private1.raw</kernel>`],
  ])("keeps a file that is %s", async (_, before, after) => {
    const machine = makePoolMachine();
    const disks = after.includes("kernel") ? DISK : "";
    await defineDomain(nodeOn(machine), domainXml({ disks }));
    const path = "/etc/svirt/domains/vm1.xml";
    putText(machine, path, (nodeOn(machine).host.readText(path) ?? "").replace(before, after));
    await expectKept(machine);
  });

  test("deletes a disk beside one into which the guest wrote a header", async () => {
    const machine = makePoolMachine();
    const bytes = qcow2Bytes({ backingFile: `${IMAGES}/private1.raw` });
    machine.files.put("/srv/written.raw", "file", { bytes });
    const disks = `${diskXml("/srv/written.raw", "vda")}${diskXml(`${IMAGES}/private1.raw`, "vdb")}`;
    await defineDomain(nodeOn(machine), domainXml({ disks }));
    await removeDisk(machine, "private1.raw");
    expect(machine.files.find(`${IMAGES}/private1.raw`)).toBeUndefined();
  });

  test("keeps the disk of a running guest, and of a saved one", async () => {
    const machine = makePoolMachine();
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }));
    const definition = readDefinition(nodeOn(machine), "vm1");
    if (definition !== undefined) await startDefinition(nodeOn(machine), definition);
    expect((await errorOf(removeDisk(machine, "private1.raw"))).kind).toBe("in-use");
    await managedSaveDomain(nodeOn(machine), "vm1", { resumes: undefined });
    expect((await errorOf(removeDisk(machine, "private1.raw"))).message).toContain("the domain 'vm1' has it");
    expect(machine.files.find(`${IMAGES}/private1.raw`)).toBeDefined();
  });
});

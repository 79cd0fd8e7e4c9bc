import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../../src/state/definitions.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { managedSaveDomain } from "../../../src/vm/save/save-domain.ts";
import { startDefinition } from "../../../src/vm/start/start.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { diskXml, domainXml, errorOf, nodeOn } from "../../scenes/scene.ts";
import { IMAGES, makePoolMachine } from "../../scenes/volumes.ts";

describe("deleteVolume() for a client of libvirt", () => {
  const removeDisk = (machine: Machine, key: string) =>
    deleteVolume(nodeOn(machine), { key, pool: "images", mayBeDisk: true });
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

  test("keeps the disk of a running guest, and of a saved one", async () => {
    const machine = makePoolMachine();
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }));
    const definition = readDefinition(nodeOn(machine), "vm1");
    if (definition !== undefined) await startDefinition(nodeOn(machine), definition);
    expect((await errorOf(removeDisk(machine, "private1.raw"))).kind).toBe("in-use");
    await managedSaveDomain(nodeOn(machine), "vm1", { resumes: undefined });
    expect((await errorOf(removeDisk(machine, "private1.raw"))).message).toContain("the saved state");
    expect(machine.files.find(`${IMAGES}/private1.raw`)).toBeDefined();
  });
});

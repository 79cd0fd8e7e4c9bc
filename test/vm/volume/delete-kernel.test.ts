import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../../src/state/definitions.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDefinition, startDomain } from "../../../src/vm/start/start.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { copyOn } from "../../scenes/block.ts";
import { diskXml, domainXml, errorOf, labelOf, nodeOn, OTHER, UUID } from "../../scenes/scene.ts";
import { IMAGES, makePoolMachine } from "../../scenes/volumes.ts";

// virt-install --location uploads a kernel and an initrd, starts a guest of them, and deletes both.

const [KERNEL, INITRD] = [`${IMAGES}/kernel`, `${IMAGES}/initrd`] as const;

function makeKernelMachine(): Machine {
  const machine = makePoolMachine();
  for (const path of [KERNEL, INITRD]) machine.files.put(path, "file", { mode: 0o600 });
  return machine;
}

function bootXml(place: { readonly name?: string; readonly uuid?: string; readonly disks?: string } = {}) {
  const text = new TextDecoder().decode(domainXml(place));
  const boot = `<kernel>${KERNEL}</kernel><initrd>${INITRD}</initrd></os>`;
  return new TextEncoder().encode(text.replace("</os>", boot));
}

const remove = (machine: Machine, key: string, mayBeRead = true) =>
  deleteVolume(nodeOn(machine), { key, pool: "images", mayBeDisk: true, mayBeRead });

describe("deleteVolume() of a kernel, for a client of libvirt", () => {
  test("removes what running guests have read, and they end as before", async () => {
    const machine = makeKernelMachine();
    const before = makePoolMachine();
    await startDomain(nodeOn(machine), bootXml());
    await startDomain(nodeOn(machine), bootXml({ name: "vm2", uuid: OTHER }));
    await remove(machine, "kernel");
    await remove(machine, "initrd");
    for (const path of [KERNEL, INITRD]) expect(machine.files.find(path)).toBeUndefined();
    await destroyDomain(nodeOn(machine), "vm1");
    await destroyDomain(nodeOn(machine), "vm2");
    expect(snapshot(machine)).toEqual(snapshot(before));
  });

  test("leaves a later file of the same name alone", async () => {
    const machine = makeKernelMachine();
    await startDomain(nodeOn(machine), bootXml());
    await remove(machine, "kernel");
    machine.files.put(KERNEL, "file", { mode: 0o600 });
    const label = labelOf(machine, KERNEL);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(labelOf(machine, KERNEL)).toBe(label);
  });

  test.each([
    ["that another guest has as a disk", diskXml(KERNEL, "vda").replace("</disk>", "<readonly/></disk>")],
    ["below the disk of another guest", diskXml(`${IMAGES}/above.qcow2`, "vda")],
  ])("keeps one %s", async (_, disks) => {
    const machine = makeKernelMachine();
    const { qcow2Bytes } = await import("../../images/qcow2-bytes.ts");
    machine.files.put(`${IMAGES}/above.qcow2`, "file", { bytes: qcow2Bytes({ backingFile: KERNEL }) });
    await startDomain(nodeOn(machine), bootXml());
    await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks }));
    const before = snapshot(machine);
    expect(await errorOf(remove(machine, "kernel"))).toMatchObject({ kind: "in-use" });
    expect(snapshot(machine)).toEqual(before);
  });

  test("keeps a file that QEMU has and the guest's XML does not name", async () => {
    const machine = makeKernelMachine();
    await startDomain(nodeOn(machine), bootXml({ disks: diskXml(`${IMAGES}/top.qcow2`, "vda") }));
    await copyOn(nodeOn(machine));
    const before = snapshot(machine);
    expect((await errorOf(remove(machine, "copy.qcow2"))).message).toBe(
      `Cannot delete ${IMAGES}/copy.qcow2: the guest vm1 uses that file`,
    );
    expect(snapshot(machine)).toEqual(before);
  });

  test("keeps one that a definition names", async () => {
    const machine = makeKernelMachine();
    await defineDomain(nodeOn(machine), bootXml());
    const definition = readDefinition(nodeOn(machine), "vm1");
    if (definition !== undefined) await startDefinition(nodeOn(machine), definition);
    const error = await errorOf(remove(machine, "kernel"));
    expect(error.message).toBe(`Cannot delete ${KERNEL}: the domain 'vm1' has it`);
  });

  test("keeps one in use for vol-delete", async () => {
    const machine = makeKernelMachine();
    await startDomain(nodeOn(machine), bootXml({ uuid: UUID }));
    const error = await errorOf(remove(machine, "kernel", false));
    expect(error.message).toBe(`Cannot delete ${KERNEL}: the guest vm1 uses that file`);
  });
});

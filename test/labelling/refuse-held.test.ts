import { describe, expect, test } from "bun:test";
import { restoreLabels } from "../../src/labelling/set-label.ts";
import type { Ask } from "../../src/vm/change/change-domain.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { attachDevice } from "../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { IMAGES } from "../scenes/block.ts";
import { deviceOf, machineWithDisks } from "../scenes/hotplug.ts";
import { machineWithKeeper } from "../scenes/keeper.ts";
import { diskXml, domainXml, errorOf, labelOf, nodeOn, ORIGINAL, OTHER, UUID } from "../scenes/scene.ts";
import { setLabel } from "../scenes/set-label.ts";

const ASK: Ask = { key: "vm1", options: {}, isDryRun: false };
const TOP = `${IMAGES}/top.qcow2`;

const closeKept = (machine: Machine): void => machine.processes.qemuOf(UUID)?.devices?.closeKept();
const otherOn = (machine: Machine, path: string) =>
  startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(path, "vda") }));

describe("what a guest's process holds without a claim", () => {
  test("is not given to another guest, by start or attach, and the error names the holder", async () => {
    const machine = await machineWithKeeper();
    const error = await errorOf(otherOn(machine, TOP));
    expect(error.kind).toBe("in-use");
    expect(error.message).toMatch(
      /^Cannot use \/var\/lib\/images\/top.qcow2: the guest vm1, process \d+ .* still holds it/,
    );
    await otherOn(machine, `${IMAGES}/private2.raw`);
    const ask = { ...ASK, key: "vm2" };
    const refused = await errorOf(attachDevice(nodeOn(machine), ask, deviceOf(diskXml(TOP, "vdb"))));
    expect([refused.kind, refused.message]).toEqual(["in-use", error.message]);
    closeKept(machine);
    await attachDevice(nodeOn(machine), ask, deviceOf(diskXml(TOP, "vdb")));
  });

  test("is looked for without the registry's lock, and not again while claims stay as they are", async () => {
    const machine = await machineWithKeeper();
    await errorOf(otherOn(machine, TOP));
    closeKept(machine);
    await otherOn(machine, TOP);
    await destroyDomain(nodeOn(machine), OTHER);
    await setLabel(nodeOn(machine), { path: TOP, isDryRun: false }, ORIGINAL);
    expect(machine.violations).toEqual([]);
  });

  test("is refused where a guest has more open than is looked at, but neither what is free nor that guest's own", async () => {
    const machine = await machineWithKeeper(diskXml(`${IMAGES}/shared.raw`, "vdc", "<shareable/>"));
    machine.qemu = { keepsFiles: true, floods: UUID };
    const error = await errorOf(otherOn(machine, TOP));
    expect([error.kind, error.remedy]).toEqual(["in-use", expect.stringContaining("svirt destroy vm1")]);
    expect(error.message).toMatch(/: the guest vm1, process \d+ .* may still hold it \(more than is /);
    const { errors } = await restoreLabels(nodeOn(machine), { paths: [TOP], isDryRun: false }, undefined);
    expect(errors.map(({ kind }) => kind)).toEqual(["in-use"]);
    const disks = diskXml(`${IMAGES}/shared.raw`, "vda", "<shareable/>");
    const other = domainXml({ name: "vm2", uuid: OTHER, disks });
    expect((await startDomain(nodeOn(machine), other)).did).toBe(true);
    await destroyDomain(nodeOn(machine), OTHER);
    expect((await otherOn(machine, `${IMAGES}/private2.raw`)).did).toBe(true);
    await destroyDomain(nodeOn(machine), UUID);
    expect(machine.violations).toEqual([]);
  });

  test("is no tap that is yet to be made, whatever a guest has open; one that is there may be", async () => {
    const machine = await machineWithDisks();
    machine.taps.addBridge("br0");
    machine.files.put("/dev/vhost-net", "character", { node: "10:238" });
    machine.qemu = { floods: UUID };
    machine.taps.addPersistent("lasting");
    const start = (source: string) => {
      const devices = `<interface ${source}<model type='virtio'/></interface>`;
      return startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, devices }));
    };
    const error = await errorOf(start("type='ethernet'><target dev='lasting' managed='no'/>"));
    expect(error.message).toContain("Cannot use tap-lasting: the guest vm1, process");
    expect((await start("type='bridge'><source bridge='br0'/>")).did).toBe(true);
  });

  test("is not relabelled by an administrator's command", async () => {
    const machine = await machineWithKeeper();
    const before = labelOf(machine, TOP);
    const act = { path: TOP, isDryRun: false };
    expect((await errorOf(setLabel(nodeOn(machine), act, ORIGINAL))).kind).toBe("in-use");
    const { errors } = await restoreLabels(nodeOn(machine), { paths: [TOP], isDryRun: false }, undefined);
    expect(errors.map(({ kind }) => kind)).toEqual(["in-use"]);
    expect(labelOf(machine, TOP)).toBe(before);
    closeKept(machine);
    await setLabel(nodeOn(machine), act, ORIGINAL);
    expect(labelOf(machine, TOP)).toBe(ORIGINAL);
  });

  test("does not keep guests from sharing what all of them claim", async () => {
    const machine = await machineWithDisks(diskXml(`${IMAGES}/shared.raw`, "vdb", "<shareable/>"));
    const disks = diskXml(`${IMAGES}/shared.raw`, "vda", "<shareable/>");
    const other = domainXml({ name: "vm2", uuid: OTHER, disks });
    expect((await startDomain(nodeOn(machine), other)).did).toBe(true);
  });
});

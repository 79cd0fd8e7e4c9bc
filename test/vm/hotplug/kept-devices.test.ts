// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { guestPaths, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { listQemuObjects } from "../../../src/plan/record/qemu-objects.ts";
import { withMonitorSocket } from "../../../src/run/monitor/converse.ts";
import { withinTime } from "../../../src/run/monitor/limit-conversations.ts";
import { readDefinition } from "../../../src/state/definitions.ts";
import { readRecord, writeRecord } from "../../../src/state/record.ts";
import { readSnapshots } from "../../../src/state/snapshots/snapshots.ts";
import type { Ask } from "../../../src/vm/change/change-domain.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice, detachDeviceAlias } from "../../../src/vm/hotplug/change-devices.ts";
import { recoverBefore } from "../../../src/vm/recover/recover-before.ts";
import { saveDomain } from "../../../src/vm/save/save-domain.ts";
import { createSnapshot, newSnapshot } from "../../../src/vm/snapshot/create-snapshot.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf, machineWithDisks, recordOf, SECOND } from "../../scenes/hotplug.ts";
import { diskXml, errorOf, labelOf, nodeOn, ORIGINAL, reapAll, sweepAll, UUID } from "../../scenes/scene.ts";
import { strikeEverywhere, type Work } from "../../scenes/strikes.ts";

const ASK: Ask = { key: "vm1", options: {}, isDryRun: false };
const BOTH: Ask = { ...ASK, options: { live: true, config: true } };
const IMAGES = "/var/lib/images";
const THIRD = diskXml(`${IMAGES}/private2.raw`, "vdc");

const attach = (machine: Machine, xml: string) => attachDevice(nodeOn(machine), ASK, deviceOf(xml));
const detach = (machine: Machine, xml: string) => detachDevice(nodeOn(machine), ASK, deviceOf(xml));
/** Detaches a disk as libvirt's calls do, from the running guest and the definition. */
const request =
  (xml: string): Work =>
  (node) =>
    detachDevice(node, { ...BOTH, isRequestEnough: true }, deviceOf(xml));
const targetsIn = (xml: string): string[] =>
  parseDomain(new TextEncoder().encode(xml)).devices.disks.map(({ target }) => target.dev);
const targets = (machine: Machine): string[] => targetsIn(recordOf(machine).xml);
const defined = (machine: Machine): string[] => targetsIn(readDefinition(nodeOn(machine), "vm1")?.xml ?? "");
function letGo(machine: Machine, ...devices: readonly string[]): void {
  for (const device of devices) machine.processes.qemuOf(UUID)?.devices?.letGo(device);
}

/** Returns a machine on which the guest runs with three disks that its definition has too, and keeps them. */
async function machineThatKeeps(): Promise<Machine> {
  const machine = await machineWithDisks();
  await defineDomain(nodeOn(machine), new TextEncoder().encode(recordOf(machine).xml));
  for (const xml of [SECOND, THIRD]) await attachDevice(nodeOn(machine), BOTH, deviceOf(xml));
  machine.qemu = { keepsDevices: true };
  return machine;
}

/** Records the detach of the second disk as svirt leaves it if it is killed while it waits for the guest. */
async function killedInDetach(machine: Machine, more: { readonly isAsked?: true } = {}): Promise<void> {
  const before = recordOf(machine);
  const { steps } = await detachDevice(nodeOn(machine), { ...ASK, isDryRun: true }, deviceOf(SECOND));
  const change = {
    what: "detach vdb",
    stage: "finishing" as const,
    steps: [],
    after: [...steps],
    xml: before.xml,
  };
  writeRecord(nodeOn(machine), { ...before, change: { ...change, ...more } });
}

describe("a guest that does not let go of a disk", () => {
  test("keeps its label and its place in the record, and is finished by any call once it has", async () => {
    const machine = await machineWithDisks(SECOND);
    machine.qemu = { keepsDevices: true };
    const error = await errorOf(detach(machine, SECOND));
    expect([error.kind, targets(machine).includes("vdb")]).toEqual(["timeout", true]);
    const held = labelOf(machine, `${IMAGES}/top.qcow2`);
    expect(held).not.toBe(ORIGINAL);
    await sweepAll(machine);
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(held);
    machine.processes.qemuOf(UUID)?.devices?.letGo("virtio-disk1");
    await sweepAll(machine);
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(ORIGINAL);
    expect(targets(machine)).not.toContain("vdb");
  });

  test("takes other changes meanwhile, and loses only that disk once it has let go", async () => {
    const machine = await machineWithDisks(SECOND);
    machine.qemu = { keepsDevices: true };
    await errorOf(detach(machine, SECOND));
    await attach(machine, diskXml(`${IMAGES}/private2.raw`, "vdc"));
    expect([targets(machine), recordOf(machine).asked]).toEqual([
      ["vda", "vdb", "vdc", "hdc"],
      ["virtio-disk1"],
    ]);
    await errorOf(detach(machine, diskXml(`${IMAGES}/private2.raw`, "vdc")));
    for (const device of ["virtio-disk1", "virtio-disk2"])
      machine.processes.qemuOf(UUID)?.devices?.letGo(device);
    await sweepAll(machine);
    expect([targets(machine), recordOf(machine).asked]).toEqual([["vda", "hdc"], undefined]);
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(ORIGINAL);
    expect(labelOf(machine, `${IMAGES}/private2.raw`)).toBe(ORIGINAL);
  });

  test("has left the definition if the request is enough", async () => {
    const machine = await machineWithDisks();
    await defineDomain(nodeOn(machine), new TextEncoder().encode(recordOf(machine).xml));
    const both: Ask = { ...ASK, options: { live: true, config: true } };
    await attachDevice(nodeOn(machine), both, deviceOf(SECOND));
    machine.qemu = { keepsDevices: true };
    await detachDevice(nodeOn(machine), { ...both, isRequestEnough: true }, deviceOf(SECOND));
    expect(readDefinition(nodeOn(machine), "vm1")?.xml).not.toContain("vdb");
    expect([targets(machine).includes("vdb"), recordOf(machine).asked]).toEqual([true, ["virtio-disk1"]]);
  });

  test("is asked again by the same command", async () => {
    const machine = await machineWithDisks(SECOND);
    machine.qemu = { keepsDevices: true };
    await errorOf(detach(machine, SECOND));
    machine.qemu = {};
    await detach(machine, SECOND);
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(ORIGINAL);
  });

  test("gives all back when it is destroyed meanwhile", async () => {
    const machine = await machineWithDisks(SECOND);
    machine.qemu = { keepsDevices: true };
    await errorOf(detach(machine, SECOND));
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(ORIGINAL);
  });
});

describe("svirt killed while it waits for a guest that keeps a disk", () => {
  test("has asked for that disk, and the next request asks for its own, and no other", async () => {
    for (const recovers of [true, false]) {
      const machine = await machineThatKeeps();
      await killedInDetach(machine);
      if (recovers) expect((await recoverBefore(nodeOn(machine), ["vm1"])).errors).toEqual([]);
      const node = nodeOn(machine);
      await request(THIRD)(node);
      expect(node.svirt.changes.filter((call) => call === "monitor device_del").length).toBe(
        recovers ? 1 : 2,
      );
      expect([recordOf(machine).asked, recordOf(machine).change]).toEqual([
        ["virtio-disk1", "virtio-disk2"],
        undefined,
      ]);
      expect([defined(machine), targets(machine)]).toEqual([
        ["vda", "vdb", "hdc"],
        ["vda", "vdb", "vdc", "hdc"],
      ]);
    }
  });

  test("is no error of another change, nor is what an older svirt has recorded", async () => {
    for (const more of [{}, { isAsked: true as const }]) {
      const machine = await machineWithDisks(SECOND);
      machine.qemu = { keepsDevices: true };
      await killedInDetach(machine, more);
      await attach(machine, THIRD);
      expect([targets(machine), recordOf(machine).asked]).toEqual([
        ["vda", "vdb", "vdc", "hdc"],
        ["virtio-disk1"],
      ]);
    }
  });

  test("at any instant loses neither the request nor the next one", async () => {
    const subject = { name: "detach", prepare: machineThatKeeps, work: request(SECOND) };
    const ends = new Set<string>();
    await strikeEverywhere(subject, "crash", async (machine, place) => {
      const { errors } = await recoverBefore(nodeOn(machine), ["vm1"]);
      await request(THIRD)(nodeOn(machine));
      const { asked = [], change } = recordOf(machine);
      expect([place, errors, change, asked.includes("virtio-disk2")]).toEqual([place, [], undefined, true]);
      expect([place, defined(machine)]).toEqual([place, expect.not.arrayContaining(["vdc"])]);
      letGo(machine, ...asked);
      await sweepAll(machine);
      const isAsked = asked.includes("virtio-disk1");
      const left = isAsked ? ["vda", "hdc"] : ["vda", "vdb", "hdc"];
      expect([place, targets(machine), recordOf(machine).asked]).toEqual([place, left, undefined]);
      expect([place, labelOf(machine, `${IMAGES}/private2.raw`)]).toEqual([place, ORIGINAL]);
      expect([place, labelOf(machine, `${IMAGES}/top.qcow2`) === ORIGINAL]).toEqual([place, isAsked]);
      ends.add(String(isAsked));
    });
    expect([...ends]).toContain("true");
  });
});

describe("a disk that a guest was asked for", () => {
  const wanted = (): Parameters<typeof newSnapshot>[1] => ({
    name: "s1",
    description: undefined,
    disks: [],
    flags: { isDiskOnly: true, isKept: true, reuses: false },
  });

  test.each([
    ["kept", [], ["vda", "vdb", "vdc", "hdc"]],
    ["released just now", ["virtio-disk1"], ["vda", "vdc", "hdc"]],
  ])("and that it has %s does not spoil a snapshot", async (_, released, left) => {
    const machine = await machineThatKeeps();
    await errorOf(detach(machine, SECOND));
    letGo(machine, ...released);
    const node = nodeOn(machine);
    await createSnapshot(node, UUID, { snapshot: newSnapshot(node, wanted()) });
    expect(readSnapshots(node, UUID).snapshots.map(({ name }) => name)).toEqual(["s1"]);
    expect(targets(machine)).toEqual(left);
    expect([recordOf(machine).change, recordOf(machine).jobs]).toEqual([undefined, undefined]);
  });

  test("ends with a guest that is saved, and its file gets its label back", async () => {
    const machine = await machineThatKeeps();
    await errorOf(detach(machine, SECOND));
    await saveDomain(nodeOn(machine), "vm1", { path: "/var/lib/images/vm1.save", resumes: undefined });
    await reapAll(machine);
    expect(readRecord(nodeOn(machine), UUID)).toBeUndefined();
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(ORIGINAL);
  });

  test("and that its record no longer has is forgotten", async () => {
    const machine = await machineWithDisks();
    writeRecord(nodeOn(machine), { ...recordOf(machine), asked: ["virtio-disk7"] });
    await sweepAll(machine);
    expect(recordOf(machine).asked).toBeUndefined();
  });
});

describe("a network card that a guest was asked for", () => {
  const CARD = "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/></interface>";
  const cards = (machine: Machine): readonly (string | undefined)[] =>
    parseDomain(new TextEncoder().encode(recordOf(machine).xml)).devices.interfaces.map(
      ({ mac }) => mac?.address,
    );

  /**
   * Returns a machine whose guest has kept the first of two cards with one MAC address, and QEMU's name of
   * it.
   */
  async function machineWithTwins(): Promise<readonly [Machine, string]> {
    const machine = await machineWithDisks();
    await attach(machine, CARD);
    machine.qemu = { keepsDevices: true };
    await errorOf(detach(machine, CARD));
    await attach(machine, CARD);
    machine.qemu = {};
    const [kept = ""] = recordOf(machine).asked ?? [];
    return [machine, kept];
  }

  test("is the one that goes, though another has its MAC address", async () => {
    const [machine, kept] = await machineWithTwins();
    letGo(machine, kept);
    expect((await recoverBefore(nodeOn(machine), ["vm1"])).errors).toEqual([]);
    expect([cards(machine), recordOf(machine).asked]).toEqual([["52:54:00:00:00:01"], undefined]);
    expect([...listQemuObjects(recordOf(machine).steps).devices.keys()]).not.toContain(kept);
    await attach(machine, THIRD);
    expect(targets(machine)).toContain("vdc");
  });

  test("is detached by its alias, though another has its MAC address", async () => {
    const [machine, kept] = await machineWithTwins();
    await detachDeviceAlias(nodeOn(machine), ASK, kept);
    expect([cards(machine).length, recordOf(machine).asked]).toEqual([1, undefined]);
    expect([...listQemuObjects(recordOf(machine).steps).devices.keys()]).not.toContain(kept);
  });
});

test("a released device whose detach is refused stays noted, and is no error of another change", async () => {
  const machine = await machineWithDisks(SECOND);
  machine.qemu = { keepsDevices: true };
  await errorOf(detach(machine, SECOND));
  const drive = [...listQemuObjects(recordOf(machine).steps).devices.keys()].find((id) =>
    id.startsWith("ide"),
  );
  const { asked = [], ...before } = recordOf(machine);
  const both = [drive ?? "", ...asked];
  writeRecord(nodeOn(machine), { ...before, asked: both });
  letGo(machine, ...both);
  await attach(machine, THIRD);
  expect([targets(machine), recordOf(machine).asked]).toEqual([["vda", "vdc", "hdc"], [drive ?? ""]]);
});

test("a guest that rejects the removal of a disk keeps it, and nothing is noted", async () => {
  const machine = await machineThatKeeps();
  machine.qemu = { rejectsUnplug: new Set(["virtio-disk1"]) };
  const before = recordOf(machine);
  const error = await errorOf(request(SECOND)(nodeOn(machine)));
  expect([error.message, error.libvirt.name]).toEqual([
    "operation failed: unplug of device was rejected by the guest",
    "VIR_ERR_OPERATION_FAILED",
  ]);
  expect([recordOf(machine), defined(machine)]).toEqual([before, ["vda", "vdb", "vdc", "hdc"]]);
});

test("a wait for a device ends with the time of the whole conversation", async () => {
  const machine = await machineThatKeeps();
  const { host } = nodeOn(machine);
  const { monitor } = guestPaths(SYSTEM_PATHS, UUID);
  const before = machine.nowMs;
  const end = await withMonitorSocket(withinTime(host, 100), { monitor, timeoutMs: 30_000 }, (qemu) =>
    qemu.waitUntilDeleted("virtio-disk1", 5000),
  );
  expect([end, machine.nowMs - before < 1000]).toEqual(["kept", true]);
});

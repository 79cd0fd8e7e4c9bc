import { describe, expect, test } from "bun:test";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { undefineDomain } from "../../../src/vm/define/undefine.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { findDomain } from "../../../src/vm/guest/find-domain.ts";
import { rebootGuest } from "../../../src/vm/lifecycle/power-off.ts";
import { startDefined } from "../../../src/vm/save/restore-domain.ts";
import { managedSaveDomain } from "../../../src/vm/save/save-domain.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { MANAGED, machineWithGuest, PRIVATE, REMEMBERED } from "../../scenes/saving.ts";
import {
  ALL_KINDS,
  domainXml,
  errorOf,
  labelOf,
  makeMachine,
  nodeOn,
  reapAll,
  UUID,
} from "../../scenes/scene.ts";

const AS_IT_WAS = { resumes: undefined } as const;

describe("a managed save", () => {
  async function managed(): Promise<Machine> {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
    await startNow(machine);
    remember(machine);
    await managedSaveDomain(nodeOn(machine), "vm1", AS_IT_WAS);
    await reapAll(machine);
    return machine;
  }

  const remember = (machine: Machine): void => {
    const stream = machine.processes.qemuOf(UUID)?.stream;
    if (stream !== undefined) stream.memory = REMEMBERED;
  };

  async function startNow(machine: Machine, forceBoot = false) {
    const node = nodeOn(machine);
    const found = findDomain(node, "vm1");
    return await startDefined(node, { ...found, xml: found.definition?.xml ?? "" }, { forceBoot });
  }

  const memoryOf = (machine: Machine) => machine.processes.qemuOf(UUID)?.stream?.memory;

  test("is what the next start goes on from, once", async () => {
    const machine = await managed();
    expect(labelOf(machine, MANAGED)).not.toMatch(PRIVATE);
    await startNow(machine);
    expect([memoryOf(machine), machine.files.find(MANAGED)]).toEqual([REMEMBERED, undefined]);
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    await startNow(machine);
    expect(memoryOf(machine)).toBe("as it booted");
    expect(machine.violations).toEqual([]);
  });

  test("is forgotten by --force-boot", async () => {
    const machine = await managed();
    await startNow(machine, true);
    expect([memoryOf(machine), machine.files.find(MANAGED)]).toEqual(["as it booted", undefined]);
  });

  test("stays when a start with --force-boot fails", async () => {
    const machine = await managed();
    machine.qemu = { endsAtOnce: { status: 1, says: "no" } };
    await errorOf(startNow(machine, true));
    machine.qemu = {};
    await reapAll(machine);
    await startNow(machine);
    expect(memoryOf(machine)).toBe(REMEMBERED);
  });

  test("is gone before the vCPUs run, so that no later start goes back behind them", async () => {
    const machine = await managed();
    const node = nodeOn(machine);
    const found = findDomain(node, "vm1");
    await startDefined(node, { ...found, xml: found.definition?.xml ?? "" }, { forceBoot: false });
    const { changes } = node.svirt;
    const removed = changes.lastIndexOf("removeFile", changes.lastIndexOf("monitor cont"));
    expect(removed).toBeGreaterThan(changes.lastIndexOf("sendFrom"));
  });

  test("stays when QEMU does not take it", async () => {
    const machine = await managed();
    machine.qemu = { refuses: "migrate-incoming" };
    const before = snapshot(machine);
    expect((await errorOf(startNow(machine))).message).toContain("as the test wants it");
    machine.pass(1000);
    machine.reaps.splice(0);
    expect(snapshot(machine)).toEqual(before);
    machine.qemu = {};
    await startNow(machine);
    expect(memoryOf(machine)).toBe(REMEMBERED);
  });

  test("of another domain is refused", async () => {
    const machine = await managed();
    await undefineDomain(nodeOn(machine), "vm1", { managedSave: true });
    expect(machine.files.find(MANAGED)).toBeUndefined();
    const again = await managed();
    await errorOf(undefineDomain(nodeOn(again), "vm1"));
    const bytes = again.files.get(MANAGED).bytes;
    again.files.get(MANAGED).bytes = new TextEncoder().encode(
      new TextDecoder().decode(bytes).replace(UUID, UUID.replace(/1$/, "2")),
    );
    expect((await errorOf(startNow(again))).message).toContain("from a file which belongs to domain");
  });

  test("of a domain that is not defined is refused in libvirt's words", async () => {
    const machine = await machineWithGuest();
    const error = await errorOf(managedSaveDomain(nodeOn(machine), "vm1", AS_IT_WAS));
    expect(error.message).toBe(
      "Requested operation is not valid: cannot do managed save for transient domain",
    );
  });

  test("of a guest that was to be rebooted is not undone by its reaper", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
    machine.qemu = { ignoresPowerButton: true };
    await startNow(machine);
    await rebootGuest(nodeOn(machine), "vm1");
    await managedSaveDomain(nodeOn(machine), "vm1", AS_IT_WAS);
    await reapAll(machine);
    expect([machine.liveGuests(), machine.files.find(MANAGED) !== undefined]).toEqual([[], true]);
  });
});

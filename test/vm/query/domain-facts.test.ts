import { describe, expect, test } from "bun:test";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { getDomainFacts } from "../../../src/vm/query/domain-facts.ts";
import { getDomainState } from "../../../src/vm/query/domain-state.ts";
import { getDomainXml } from "../../../src/vm/query/domain-xml.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { setMemory } from "../../../src/vm/tuning/set-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { domainXml, errorOf, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";

const VCPU = "<vcpu current='2'>4</vcpu>";

async function definedMachine(): Promise<Machine> {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), domainXml({ lifecycle: VCPU }));
  return machine;
}

async function runningMachine(): Promise<Machine> {
  const machine = await definedMachine();
  await startDomain(nodeOn(machine), domainXml({ lifecycle: VCPU }));
  return machine;
}

describe("getDomainFacts()", () => {
  test("returns the facts of a definition, with libvirt's names and units", async () => {
    const machine = await definedMachine();
    expect(await getDomainFacts(nodeOn(machine), UUID)).toEqual({
      id: undefined,
      name: "vm1",
      uuid: UUID,
      state: "shut off",
      vcpus: 2,
      cpuTimeSeconds: undefined,
      maxMemoryKiB: 65_536,
      usedMemoryKiB: 65_536,
      persistent: true,
      autostart: false,
      autostartOnce: false,
      managedSave: false,
      securityModel: "selinux",
      securityLabel: undefined,
      enforcing: undefined,
    });
  });

  test("returns the id, the state and the label of a running guest as well", async () => {
    const machine = await runningMachine();
    const label = machine.liveGuests()[0]?.context;
    expect(label).toContain(":svirt_t:");
    expect(await getDomainFacts(nodeOn(machine), "vm1")).toMatchObject({
      id: 1,
      state: "running",
      vcpus: 2,
      persistent: true,
      securityLabel: label,
      enforcing: true,
    });
  });

  test("returns the memory that the balloon leaves a running guest, and never more than its maximum", async () => {
    const machine = await runningMachine();
    for (const [actual, used] of [
      [48 * 1024 * 1024, 49_152],
      [2 ** 40, 65_536],
    ] as const) {
      machine.qemu = { answers: new Map([["query-balloon", { actual }]]) };
      expect((await getDomainFacts(nodeOn(machine), "vm1")).usedMemoryKiB).toBe(used);
    }
  });

  test("returns the memory that setmem asked for, as the XML of the running guest does", async () => {
    const machine = await runningMachine();
    machine.qemu = {
      answers: new Map<string, unknown>([
        ["balloon", {}],
        ["query-balloon", { actual: 40_000 * 1024 }],
      ]),
    };
    await setMemory(nodeOn(machine), { key: "vm1", options: { live: true }, isDryRun: false }, "40000");
    expect((await getDomainFacts(nodeOn(machine), "vm1")).usedMemoryKiB).toBe(40_000);
    const shown = async (form: "running" | "defined") =>
      /<currentMemory unit='KiB'>(\d+)/.exec((await getDomainXml(nodeOn(machine), "vm1", form)).xml)?.[1];
    expect([await shown("running"), await shown("defined")]).toEqual(["40000", "65536"]);
  });

  test("returns the memory of the definition for a guest whose QEMU has no balloon", async () => {
    const machine = await runningMachine();
    machine.qemu = { refuses: "query-balloon" };
    expect(await getDomainFacts(nodeOn(machine), "vm1")).toMatchObject({
      state: "running",
      usedMemoryKiB: 65_536,
    });
  });

  test("says of a transient guest that it is not persistent", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    expect((await getDomainFacts(nodeOn(machine), "vm1")).persistent).toBe(false);
  });

  test("throws for an unknown domain", async () => {
    expect((await errorOf(getDomainFacts(nodeOn(makeMachine()), "vm1"))).kind).toBe("not-found");
  });
});

describe("getDomainState()", () => {
  test("returns the reason for which a domain is off, or runs", async () => {
    const machine = await definedMachine();
    expect(await getDomainState(nodeOn(machine), "vm1")).toEqual({ state: "shut off", reason: "unknown" });
    await startDomain(nodeOn(machine), domainXml({ lifecycle: VCPU }));
    expect(await getDomainState(nodeOn(machine), "vm1")).toEqual({ state: "running", reason: "booted" });
    await destroyDomain(nodeOn(machine), "vm1");
    expect(await getDomainState(nodeOn(machine), "vm1")).toEqual({ state: "shut off", reason: "destroyed" });
  });
});

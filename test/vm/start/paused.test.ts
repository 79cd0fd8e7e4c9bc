import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../../src/state/definitions.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { resumeGuest, suspendGuest } from "../../../src/vm/lifecycle/ask-guest.ts";
import { getDomainState } from "../../../src/vm/query/domain-state.ts";
import { startNamed } from "../../../src/vm/save/restore-domain.ts";
import { managedSaveDomain } from "../../../src/vm/save/save-domain.ts";
import { startDefinition, startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";

const XML = domainXml({ disks: diskXml("/var/lib/images/private1.raw", "vda") });

/** Returns what `domstate --reason` prints. */
async function reasonOn(machine: Machine): Promise<string> {
  const { reason, state } = await getDomainState(nodeOn(machine), "vm1");
  return `${state} (${reason})`;
}

async function stateOn(machine: Machine): Promise<string> {
  return (await getDomainState(nodeOn(machine), "vm1")).state;
}

describe("a start that leaves the guest paused", () => {
  test("is complete, and the guest runs once it is resumed", async () => {
    const machine = makeMachine();
    const { did } = await startDomain(nodeOn(machine), XML, { isPaused: true });
    expect([did, await stateOn(machine)]).toEqual([true, "paused"]);
    expect(await resumeGuest(nodeOn(machine), "vm1")).toEqual({ name: "vm1", did: true });
    expect(await stateOn(machine)).toBe("running");
  });

  // qemuProcessFinishStartup() of libvirt: VIR_DOMAIN_PAUSED_USER
  test("is shown as paused by the user, and no longer once the guest runs", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), XML, { isPaused: true });
    expect(machine.processes.qemuOf(UUID)?.status).toBe("prelaunch");
    expect(await reasonOn(machine)).toBe("paused (user)");
    await resumeGuest(nodeOn(machine), "vm1");
    expect(await reasonOn(machine)).toBe("running (unpaused)");
  });

  test("a guest that nobody has paused, and whose vCPUs have not run yet, is starting up", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), XML);
    const qemu = machine.processes.qemuOf(UUID);
    if (qemu !== undefined) qemu.status = "prelaunch";
    expect(await reasonOn(machine)).toBe("paused (starting up)");
  });

  test("does not pause one that already runs", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), XML);
    expect((await startDomain(nodeOn(machine), XML, { isPaused: true })).did).toBe(false);
    expect(await stateOn(machine)).toBe("running");
  });

  test.each([
    [true, "paused"],
    [false, "running"],
  ])("also from a managed save (%s): %s", async (isPaused, state) => {
    const machine = makeMachine();
    const node = nodeOn(machine);
    await defineDomain(node, XML);
    await startNamed(node, "vm1", { forceBoot: false });
    await managedSaveDomain(node, "vm1", { resumes: undefined });
    await startNamed(node, "vm1", { forceBoot: false, isPaused });
    expect(await stateOn(machine)).toBe(state);
  });

  // Seen at libvirtd 11.3.0: VIR_DOMAIN_PAUSED_MIGRATION, until it is paused again.
  test("from a saved state is paused as after a migration, and by the user once it was resumed", async () => {
    const machine = makeMachine();
    const node = nodeOn(machine);
    await defineDomain(node, XML);
    await startNamed(node, "vm1", { forceBoot: false });
    await managedSaveDomain(node, "vm1", { resumes: false });
    await startNamed(node, "vm1", { forceBoot: false });
    expect(await reasonOn(machine)).toBe("paused (migrating)");
    await resumeGuest(node, "vm1");
    await suspendGuest(node, "vm1");
    expect(await reasonOn(machine)).toBe("paused (user)");
  });
});

// Seen at libvirtd 11.3.0: VIR_DOMAIN_SHUTOFF_FAILED
test("a domain whose network is missing is off since its start has failed", async () => {
  const machine = makeMachine();
  const devices = "<interface type='network'><source network='none'/></interface>";
  await defineDomain(nodeOn(machine), domainXml({ devices }));
  await errorOf(startNamed(nodeOn(machine), "vm1", { forceBoot: false }));
  expect(await reasonOn(machine)).toBe("shut off (failed)");
});

test("a start that a changed definition prevents is no failure", async () => {
  const machine = makeMachine();
  const node = nodeOn(machine);
  await defineDomain(node, domainXml());
  const definition = readDefinition(node, "vm1");
  if (definition === undefined) throw new Error("vm1 has no definition");
  const error = await errorOf(startDefinition(node, { ...definition, xml: `${definition.xml} ` }));
  expect([error.kind, await reasonOn(machine)]).toEqual(["wrong-state", "shut off (unknown)"]);
});

test("a domain whose start has failed is off for that reason", async () => {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), domainXml({ disks: diskXml("/var/lib/images/none.raw", "vda") }));
  expect(await reasonOn(machine)).toBe("shut off (unknown)");
  await errorOf(startNamed(nodeOn(machine), "vm1", { forceBoot: false }));
  expect(await reasonOn(machine)).toBe("shut off (failed)");
});

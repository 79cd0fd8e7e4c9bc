import { describe, expect, test } from "bun:test";
import { readRecord } from "../../../src/state/record.ts";
import { rebootGuest, shutdownGuest } from "../../../src/vm/lifecycle/power-off.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { machineWithAgent } from "../../scenes/agents.ts";
import { domainXml, errorOf, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";

const AGENT = { byAgent: true, byButton: false };
const BOTH = { byAgent: true, byButton: true };

const intentOn = (machine: Machine): string | undefined => readRecord(nodeOn(machine), UUID)?.intent;
const askedOf = (machine: Machine): unknown[] => machine.agent.asked.map((line) => JSON.parse(line));

async function obedient(): Promise<Machine> {
  const machine = await machineWithAgent({});
  machine.agent.silent = new Set(["guest-shutdown"]);
  return machine;
}

describe("shutdownGuest() by the agent", () => {
  // qemu.git qga/qapi-schema.json: guest-shutdown has no answer if it succeeds.
  test("takes its silence for obedience, and does not press the button", async () => {
    const machine = await obedient();
    expect(await shutdownGuest(nodeOn(machine), "vm1", BOTH)).toEqual({ name: "vm1", did: true });
    expect(askedOf(machine)).toEqual([{ execute: "guest-shutdown", arguments: { mode: "powerdown" } }]);
    expect(intentOn(machine)).toBe("shutdown");
  });

  test("fails with the agent's reason, and a reboot that was requested before is still one", async () => {
    const machine = await machineWithAgent({});
    await rebootGuest(nodeOn(machine), "vm1");
    const error = await errorOf(shutdownGuest(nodeOn(machine), "vm1", AGENT));
    expect(error.message).toContain("has not been found");
    expect(intentOn(machine)).toBe("reboot");
  });

  test("presses the button after an agent that fails, if both are asked for", async () => {
    const machine = await machineWithAgent({});
    machine.agent.answers = undefined;
    expect(await shutdownGuest(nodeOn(machine), "vm1", BOTH)).toEqual({ name: "vm1", did: true });
    expect(intentOn(machine)).toBe("shutdown");
    expect((await errorOf(shutdownGuest(nodeOn(machine), "vm1", AGENT))).message).toContain("not responding");
  });

  test("is refused without its channel, as by libvirt", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    expect((await errorOf(shutdownGuest(nodeOn(machine), "vm1", AGENT))).message).toContain(
      "QEMU guest agent is not configured",
    );
  });
});

test("rebootGuest() by the agent leaves the restart to the guest", async () => {
  const machine = await obedient();
  await rebootGuest(nodeOn(machine), "vm1", AGENT);
  expect(askedOf(machine)).toEqual([{ execute: "guest-shutdown", arguments: { mode: "reboot" } }]);
  expect(intentOn(machine)).toBeUndefined();
});

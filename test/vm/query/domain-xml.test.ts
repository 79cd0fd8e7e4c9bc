import { describe, expect, test } from "bun:test";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { getDomainXml } from "../../../src/vm/query/domain-xml.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";

const CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";

async function runningMachine(): Promise<Machine> {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), domainXml({ devices: CHANNEL }));
  await startDomain(nodeOn(machine), domainXml({ devices: CHANNEL }));
  return machine;
}

describe("getDomainXml()", () => {
  test("returns the XML of a running guest with its id, or that of its definition without", async () => {
    const instance = nodeOn(await runningMachine());
    const live = await getDomainXml(instance, "vm1", "running");
    expect(live).toMatchObject({ name: "vm1", uuid: UUID, isLive: true });
    expect(live.xml).toContain("<domain type='kvm' id='1'");
    const defined = await getDomainXml(instance, "vm1", "defined");
    expect(defined).toMatchObject({ isLive: false, channelsError: undefined });
    expect(defined.xml).toStartWith("<domain type='kvm'>");
  });

  test("returns the XML of a guest that does not answer, with the error", async () => {
    const machine = await runningMachine();
    machine.qemu = { mute: new Map([[UUID, "after greeting"]]) };
    const { channelsError, isLive, xml } = await getDomainXml(nodeOn(machine), "vm1", "running");
    expect(channelsError?.kind).toBe("timeout");
    expect(isLive).toBe(true);
    expect(xml).toContain("org.qemu.guest_agent.0");
  });

  test("returns the only form of a domain for the other one", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    expect(await getDomainXml(nodeOn(machine), "vm1", "defined")).toMatchObject({
      isLive: false,
      name: "vm1",
    });
  });
});

import { describe, expect, test } from "bun:test";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { getDomainXml } from "../../../src/vm/query/domain-xml.ts";
import { saveDomain } from "../../../src/vm/save/save-domain.ts";
import { readSaveImage } from "../../../src/vm/save/save-image.ts";
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

// Seen at libvirtd 11.3.0: port='5900' while it runs, and port='-1' in the other two.
test("the chosen port of a screen is in the XML of the running guest alone, not in its definition or save image", async () => {
  const machine = makeMachine();
  await startDomain(
    nodeOn(machine),
    domainXml({ devices: "<graphics type='vnc' port='-1' autoport='yes'/>" }),
  );
  const portOf = (xml: string) => /<graphics type='vnc' port='(-?\d+)'/.exec(xml)?.[1];
  const shown = async (form: "running" | "defined") =>
    portOf((await getDomainXml(nodeOn(machine), "vm1", form)).xml);
  expect([await shown("running"), await shown("defined")]).toEqual(["5900", "-1"]);
  await saveDomain(nodeOn(machine), "vm1", { path: "/var/lib/images/vm1.save", resumes: undefined });
  expect(portOf(readSaveImage(nodeOn(machine), "/var/lib/images/vm1.save").xml)).toBe("-1");
});

// virDomainDefPostParseMemory() of libvirt
test.each([
  ["131072", "65536"],
  ["0", "65536"],
  ["32768", "32768"],
])("a current memory of %s KiB of 65536 KiB is defined as %s KiB", async (written, defined) => {
  const machine = makeMachine();
  const xml = new TextDecoder()
    .decode(domainXml())
    .replace("</memory>", `</memory><currentMemory>${written}</currentMemory>`);
  await defineDomain(nodeOn(machine), new TextEncoder().encode(xml));
  expect((await getDomainXml(nodeOn(machine), "vm1", "defined")).xml).toContain(
    `<currentMemory unit='KiB'>${defined}</currentMemory>`,
  );
});

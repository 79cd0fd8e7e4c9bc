import { describe, expect, test } from "bun:test";
import { describe as describeStep } from "../../src/plan/steps/describe.ts";
import { readDefinition } from "../../src/state/definitions.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { undefineDomain } from "../../src/vm/define/undefine.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice, updateDevice } from "../../src/vm/hotplug/change-devices.ts";
import { defineNetwork, undefineNetwork } from "../../src/vm/network/define-network.ts";
import { getNetworkXml } from "../../src/vm/network/network-facts.ts";
import { createNetwork, destroyNetwork, startNetwork } from "../../src/vm/network/start-network.ts";
import { getDomainXml } from "../../src/vm/query/domain-xml.ts";
import { listInterfaces } from "../../src/vm/query/interface-list.ts";
import { readSaveImage } from "../../src/vm/save/save-image.ts";
import { planDomainStart, startDefinition, startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { deviceOf, recordOf } from "../scenes/hotplug.ts";
import { BRIDGE, networkXml } from "../scenes/networks.ts";
import { FILE, restored, save } from "../scenes/saving.ts";
import { domainXml, errorOf, makeMachine, nodeOn, OTHER, putText } from "../scenes/scene.ts";

const MAC = "52:54:00:00:00:01";
const card = (source: string, more = ""): string =>
  `<interface type='network'><mac address='${MAC}'/><source ${source}/>${more}<model type='virtio'/></interface>`;
const ON_LAN = card("network='lan'");
const ASK = { key: "vm1", options: { live: true }, isDryRun: false };
const BOTH = { ...ASK, options: { live: true, config: true } };
/**
 * Live form of ON_LAN: virDomainNetDefFormat() and interface-network-attributes in domaincommon.rng of
 * libvirt.
 */
const LIVE =
  /<interface type='bridge'>\n {6}<mac address='52:54:00:00:00:01'\/>\n {6}<source network='lan' portid='[0-9a-f-]{36}' bridge='br0'\/>\n {6}<target dev='vnet0'\/>/;

/** Returns a machine with a bridge and an active network on it. */
async function machineWith(content = BRIDGE): Promise<Machine> {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  await createNetwork(nodeOn(machine), networkXml(content));
  return machine;
}

async function planned(machine: Machine, devices: string): Promise<string> {
  const steps = await planDomainStart(nodeOn(machine), domainXml({ devices }));
  return steps.map(describeStep).join("\n");
}

async function xmlOf(machine: Machine, form: "running" | "defined"): Promise<string> {
  return (await getDomainXml(nodeOn(machine), "vm1", form)).xml;
}

function portsOf(machine: Machine): readonly string[] {
  return [...machine.files.get("/sys/class/net/br0/brif").entries.keys()];
}

describe("an interface on a network", () => {
  test("is on the network's bridge, and the live XML and the list show both as libvirt's", async () => {
    const machine = await machineWith();
    await startDomain(nodeOn(machine), domainXml({ devices: ON_LAN }));
    expect(portsOf(machine)).toEqual(["vnet0"]);
    expect(await xmlOf(machine, "running")).toMatch(LIVE);
    expect(listInterfaces(nodeOn(machine), "vm1", "running")).toEqual([
      { interface: "vnet0", type: "bridge", source: "lan", model: "virtio", mac: MAC },
    ]);
  });

  test("is on its network alone in the definition, and in the inactive XML of a guest without one", async () => {
    const machine = await machineWith();
    const node = nodeOn(machine);
    await defineDomain(node, domainXml({ devices: ON_LAN }));
    const definition = readDefinition(node, "vm1");
    if (definition === undefined) throw new Error("vm1 is not defined");
    await startDefinition(node, definition);
    for (const prepare of [async () => undefined, async () => await undefineDomain(node, "vm1")]) {
      await prepare();
      const inactive = await xmlOf(machine, "defined");
      expect(inactive).toContain("<interface type='network'>");
      expect(inactive).toContain("<source network='lan'/>");
      expect(await xmlOf(machine, "running")).toMatch(LIVE);
    }
    expect(listInterfaces(node, "vm1", "defined")).toMatchObject([{ type: "network", source: "lan" }]);
  });

  test("keeps its network when the live XML is defined or started again", async () => {
    const machine = await machineWith();
    await startDomain(nodeOn(machine), domainXml({ devices: ON_LAN }));
    const live = new TextEncoder().encode(await xmlOf(machine, "running"));
    await destroyDomain(nodeOn(machine), "vm1");
    await startDomain(nodeOn(machine), live);
    expect(await xmlOf(machine, "running")).toMatch(LIVE);
    await defineDomain(nodeOn(machine), live);
    expect(readDefinition(nodeOn(machine), "vm1")?.xml).toContain("<source network='lan'/>");
  });

  test("is saved with its network, and restored on the bridge that the network has by then", async () => {
    const machine = await machineWith();
    await startDomain(nodeOn(machine), domainXml({ devices: ON_LAN }));
    await save(machine);
    expect(readSaveImage(nodeOn(machine), FILE).xml).toContain("<source network='lan'/>");
    await destroyNetwork(nodeOn(machine), "lan");
    machine.taps.addBridge("br1");
    await createNetwork(nodeOn(machine), networkXml(BRIDGE.replace("br0", "br1")));
    await restored(machine);
    expect(await xmlOf(machine, "running")).toMatch(/<source network='lan' portid='[^']*' bridge='br1'/);
  });

  test("names the file of a network that is active and truncated", async () => {
    const machine = await machineWith();
    const file = "/run/svirt/networks/lan.xml";
    const inode = machine.files.get(file);
    inode.bytes = inode.bytes.slice(0, inode.bytes.length - 12);
    const error = await errorOf(startDomain(nodeOn(machine), domainXml({ devices: ON_LAN })));
    expect(error.message).toStartWith(`Cannot read ${file}: Cannot read the XML`);
    expect(error.remedy).toBe(`End it: rm ${file}, and start it again`);
  });

  test("may have what a bridge's may: a VLAN, isolation", async () => {
    const plan = await planned(
      await machineWith(),
      card("network='lan'", "<vlan><tag id='7'/></vlan><port isolated='yes'/>"),
    );
    expect(plan).toContain("on bridge br0, isolated");
    expect(plan).toContain("VLAN 7");
  });

  test("is isolated if its network is, unless it says no", async () => {
    const machine = await machineWith(`${BRIDGE}<port isolated='yes'/>`);
    expect(await planned(machine, ON_LAN)).toContain("on bridge br0, isolated");
    expect(await planned(machine, card("network='lan'", "<port isolated='no'/>"))).not.toContain("isolated");
  });

  test("may name a port group that its network has", async () => {
    const machine = await machineWith(`${BRIDGE}<portgroup name='web'/>`);
    await startDomain(nodeOn(machine), domainXml({ devices: card("network='lan' portgroup='web'") }));
    expect(await xmlOf(machine, "running")).toMatch(
      /<source network='lan' portgroup='web' portid='[0-9a-f-]{36}' bridge='br0'\/>/,
    );
  });

  test("comes to a running guest and leaves it, though its network is gone by then", async () => {
    const machine = await machineWith();
    await startDomain(nodeOn(machine), domainXml());
    const device = deviceOf(ON_LAN);
    await attachDevice(nodeOn(machine), ASK, device);
    expect(await xmlOf(machine, "running")).toMatch(LIVE);
    await destroyNetwork(nodeOn(machine), "lan");
    await detachDevice(nodeOn(machine), ASK, device);
    expect(recordOf(machine).xml).not.toContain("br0");
    const error = await errorOf(attachDevice(nodeOn(machine), ASK, device));
    expect(error.message).toStartWith("Network not found: no network with matching name 'lan'");
  });

  test("comes to guest and definition by its live XML, and its link is set in both", async () => {
    const machine = await machineWith();
    await defineDomain(nodeOn(machine), domainXml());
    await startDomain(nodeOn(machine), domainXml());
    const live = `<interface type='bridge'><mac address='${MAC}'/><source network='lan' portid='${OTHER}' bridge='br9'/><model type='virtio'/></interface>`;
    await attachDevice(nodeOn(machine), BOTH, deviceOf(live));
    expect(await xmlOf(machine, "running")).toMatch(LIVE);
    expect(readDefinition(nodeOn(machine), "vm1")?.xml).toContain("<source network='lan'/>");
    for (const source of [
      "<source network='lan'/>",
      `<source network='lan' portid='${OTHER}' bridge='br0'/>`,
    ]) {
      const type = source.includes("bridge") ? "bridge" : "network";
      const device = deviceOf(
        `<interface type='${type}'><mac address='${MAC}'/>${source}<model type='virtio'/><link state='down'/></interface>`,
      );
      if (device.element !== "interface") throw new Error("it is no interface");
      await updateDevice(nodeOn(machine), BOTH, { device, force: false });
    }
    expect(await xmlOf(machine, "running")).toMatch(LIVE);
    expect(await xmlOf(machine, "running")).toContain("<link state='down'/>");
    expect(readDefinition(nodeOn(machine), "vm1")?.xml).toContain("<link state='down'/>");
    const other = deviceOf(
      `<interface type='network'><mac address='${MAC}'/><source network='wan'/></interface>`,
    );
    if (other.element !== "interface") throw new Error("it is no interface");
    expect((await errorOf(updateDevice(nodeOn(machine), ASK, { device: other, force: false }))).kind).toBe(
      "unsupported",
    );
  });

  test.each([
    ["network='default'", "not-found", "Network not found: no network with matching name 'default'"],
    ["network='../../lan'", "not-found", "no network with matching name '../../lan'"],
    ["network='lan' portgroup='a'", "not-found", "network 'lan' has no port group 'a'"],
    ["network='off'", "wrong-state", "Requested operation is not valid: network 'off' is not active"],
    ["network='hand'", "failed", "has no <uuid>"],
  ] as const)("with %s is refused", async (...[source, kind, says]) => {
    const machine = await machineWith();
    await defineNetwork(nodeOn(machine), networkXml(BRIDGE, "off"));
    putText(machine, "/etc/svirt/networks/hand.xml", new TextDecoder().decode(networkXml(BRIDGE, "hand")));
    const error = await errorOf(planned(machine, card(source)));
    expect([error.kind, error.message]).toEqual([kind, expect.stringContaining(says)]);
    expect(error.libvirt.name === "VIR_ERR_NO_NETWORK").toBe(says.includes("matching name"));
  });

  test("is refused by its place, each of several", async () => {
    const error = await errorOf(planned(makeMachine(), card("network='a'") + card("network='b'")));
    expect(error.message).toContain("/domain/devices/interface[1]/source/@network");
  });
});

describe("a network that a running guest uses", () => {
  test("has the number of its interfaces in its live XML, and not in the inactive one", async () => {
    const machine = makeMachine();
    machine.taps.addBridge("br0");
    await defineNetwork(nodeOn(machine), networkXml(BRIDGE));
    await startNetwork(nodeOn(machine), "lan");
    const shown = async (form: "active" | "defined") =>
      (await getNetworkXml(nodeOn(machine), "lan", form)).xml.split("\n", 1)[0];
    expect(await shown("active")).toBe("<network>");
    const second = ON_LAN.replace(MAC, "52:54:00:00:00:02");
    await startDomain(nodeOn(machine), domainXml({ devices: ON_LAN + second }));
    expect([await shown("active"), await shown("defined")]).toEqual([
      "<network connections='2'>",
      "<network>",
    ]);
    await undefineNetwork(nodeOn(machine), "lan");
    expect([await shown("active"), await shown("defined")]).toEqual([
      "<network connections='2'>",
      "<network>",
    ]);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(await shown("active")).toBe("<network>");
  });

  test("is destroyed and undefined while the guest keeps its tap on the bridge, which starts no more", async () => {
    const machine = makeMachine();
    machine.taps.addBridge("br0");
    const node = nodeOn(machine);
    await defineNetwork(node, networkXml(BRIDGE));
    await startNetwork(node, "lan");
    await startDomain(node, domainXml({ devices: ON_LAN }));
    await destroyNetwork(node, "lan");
    await undefineNetwork(node, "lan");
    expect(portsOf(machine)).toEqual(["vnet0"]);
    expect(await xmlOf(machine, "running")).toMatch(LIVE);
    await destroyDomain(node, "vm1");
    const error = await errorOf(startDomain(node, domainXml({ devices: ON_LAN })));
    expect(error.libvirt.name).toBe("VIR_ERR_NO_NETWORK");
  });
});

import { describe, expect, test } from "bun:test";
import { describe as describeStep } from "../../src/plan/steps/describe.ts";
import { attachDevice, detachDevice } from "../../src/vm/hotplug/change-devices.ts";
import { planDomainStart, startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { deviceOf, recordOf } from "../scenes/hotplug.ts";
import { domainXml, errorOf, makeMachine, nodeOn } from "../scenes/scene.ts";

const card = (source: string, more = ""): string =>
  `<interface type='network'><mac address='52:54:00:00:00:01'/><source ${source}/>${more}<model type='virtio'/></interface>`;
const LAN = "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/></network>";
const ASK = { key: "vm1", options: { live: true }, isDryRun: false };

/** Returns a machine with a bridge and a file of the administrator that describes a network. */
function machineWith(network = LAN, file = "lan.xml"): Machine {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  machine.files.putFolder("/etc/svirt/networks");
  machine.files.put(`/etc/svirt/networks/${file}`, "file", { bytes: new TextEncoder().encode(network) });
  return machine;
}

async function planned(machine: Machine, devices: string): Promise<string> {
  const steps = await planDomainStart(nodeOn(machine), domainXml({ devices }));
  return steps.map(describeStep).join("\n");
}

describe("an interface on a network", () => {
  test("is on the bridge that the administrator has written down, and the running XML shows it", async () => {
    const machine = machineWith();
    await startDomain(nodeOn(machine), domainXml({ devices: card("network='lan'") }));
    expect([...machine.files.get("/sys/class/net/br0/brif").entries.keys()]).toEqual(["vnet0"]);
    expect(recordOf(machine).xml).toContain("<source bridge='br0'/>");
  });

  test("may have what a bridge's may: a VLAN, isolation", async () => {
    const plan = await planned(
      machineWith(),
      card("network='lan'", "<vlan><tag id='7'/></vlan><port isolated='yes'/>"),
    );
    expect(plan).toContain("on bridge br0, isolated");
    expect(plan).toContain("VLAN 7");
  });

  test("comes to a running guest and leaves it", async () => {
    const machine = machineWith();
    await startDomain(nodeOn(machine), domainXml());
    const device = deviceOf(card("network='lan'"));
    await attachDevice(nodeOn(machine), ASK, device);
    expect(recordOf(machine).xml).toContain("<source bridge='br0'/>");
    await detachDevice(nodeOn(machine), ASK, device);
    expect(recordOf(machine).xml).not.toContain("br0");
  });

  test.each([
    ["network='default'", LAN, "not-found", "Network not found: no network with matching name 'default'"],
    ["network='../../lan'", LAN, "not-found", "no network with matching name '../../lan'"],
    ["network='lan' portgroup='a'", LAN, "unsupported", "/domain/devices/interface[1]/source/@portgroup"],
    ["network='lan'", LAN.replace("bridge'", "nat'"), "xml", "/network/forward"],
    ["network='lan'", LAN.replace("<forward mode='bridge'/>", ""), "xml", "/network/forward"],
    ["network='lan'", LAN.replace("</network>", "<ip address='10.0.0.1'/></network>"), "xml", "/network/ip"],
    ["network='lan'", LAN.replace(">lan<", ">wan<"), "xml", "that file defines the network 'wan'"],
    ["network='lan'", "<domain/>", "xml", "it is not a <network>"],
  ] as const)("with %s and %s is refused", async (...[source, network, kind, says]) => {
    const error = await errorOf(planned(machineWith(network), card(source)));
    expect([error.kind, error.message]).toEqual([kind, expect.stringContaining(says)]);
    expect(error.libvirt.name === "VIR_ERR_NO_NETWORK").toBe(kind === "not-found");
  });
});

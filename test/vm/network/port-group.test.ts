import { expect, test } from "bun:test";
import type { Ask } from "../../../src/vm/change/change-domain.ts";
import { changeBandwidth } from "../../../src/vm/hotplug/bandwidth.ts";
import { attachDevice, updateDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { createNetwork } from "../../../src/vm/network/start-network.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf, recordOf } from "../../scenes/hotplug.ts";
import { BRIDGE, networkXml } from "../../scenes/networks.ts";
import { domainXml, makeMachine, nodeOn } from "../../scenes/scene.ts";

const ASK: Ask = { key: "vm1", options: { live: true }, isDryRun: false };
const NONE = { average: 0, peak: 0, burst: 0, floor: 0 };
const GROUPS =
  "<portgroup name='slow' default='yes'><bandwidth><inbound average='10'/><outbound average='20'/></bandwidth></portgroup>" +
  "<portgroup name='fast'><bandwidth><inbound average='1000'/></bandwidth></portgroup><portgroup name='free'/>";

const card = (source: string, last: string, more = ""): string =>
  `<interface type='network'><mac address='52:54:00:00:00:${last}'/><source network='lan'${source}/><model type='virtio'/>${more}</interface>`;

async function running(devices: string): Promise<Machine> {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  await createNetwork(nodeOn(machine), networkXml(`${BRIDGE}${GROUPS}`));
  await startDomain(nodeOn(machine), domainXml({ devices }));
  return machine;
}

/** Returns the rate of the frames to a tap, in bytes per second. */
function rateOf(machine: Machine, tap: string): number | undefined {
  const bytes = machine.files.find(`/sys/class/net/${tap}/shape`)?.inode.bytes;
  return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes)).bytesPerSecond;
}

// networkAllocatePort() of libvirt: virPortGroupFindByName(), and only without limits of the interface's own.
test("an interface has the limits of its port group, or of the default one, unless it has its own", async () => {
  const own = "<bandwidth><inbound average='7'/></bandwidth>";
  const machine = await running(
    card("", "01") +
      card(" portgroup='fast'", "02") +
      card(" portgroup='free'", "03") +
      card(" portgroup='fast'", "04", own),
  );
  const rates = ["vnet0", "vnet1", "vnet2", "vnet3"].map((tap) => rateOf(machine, tap));
  expect(rates).toEqual([10_000, 1_000_000, undefined, 7000]);
  const limits = [...machine.packetRules.tables.keys()].filter((name) => name.includes("_limit_"));
  expect(limits).toEqual([expect.stringMatching(/_vnet0$/)]);
  expect(recordOf(machine).xml).toContain("<inbound average='1000'/>");
});

test("a card that is attached has the limits of its group, which an update of its link keeps", async () => {
  const machine = await running("");
  await attachDevice(nodeOn(machine), ASK, deviceOf(card(" portgroup='fast'", "02")));
  expect(rateOf(machine, "vnet0")).toBe(1_000_000);
  const [, rest = ""] =
    /<model type='virtio'\/>(\s*<alias [^>]*>\s*<address [^>]*>)/.exec(recordOf(machine).xml) ?? [];
  const down = deviceOf(card(" portgroup='fast'", "02", `<link state='down'/>${rest}`));
  await updateDevice(nodeOn(machine), ASK, { device: down, force: false });
  expect([rateOf(machine, "vnet0"), recordOf(machine).xml.includes("<link state='down'/>")]).toEqual([
    1_000_000,
    true,
  ]);
});

test("domiftune ends the limit of a group for a running guest", async () => {
  const machine = await running(card(" portgroup='fast'", "02"));
  await changeBandwidth(nodeOn(machine), ASK, { name: "vnet0", inbound: NONE });
  expect(rateOf(machine, "vnet0")).toBe(undefined);
});

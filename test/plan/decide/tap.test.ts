import { describe, expect, test } from "bun:test";
import { networkInterface } from "../../../src/domain/devices/network/interface.ts";
import {
  decideTap,
  hostEndMac,
  isTapped,
  type PlannedTap,
  type TapFacts,
} from "../../../src/plan/decide/tap.ts";
import { describeSetup } from "../../../src/plan/facts/describe-tap.ts";
import { parseDocument } from "../../../src/xml/parse-document.ts";

const MAC = "<mac address='52:54:00:00:00:0a'/>";
const BRIDGE = { mtu: 1500, filtersVlans: true, defaultVlan: 1 };
const FACTS: TapFacts = {
  taken: new Set(["lo", "eth0", "br0", "vnet0", "tap7"]),
  hasVhost: true,
  isFiltered: false,
  getBridge: (name) => (name === "br0" ? BRIDGE : undefined),
  openVswitch: {
    guestUuid: "c7a5fdbd-edaf-9455-926a-d65c16db1809",
    hasProgram: () => true,
    getMtu: (name) => (name === "ovsbr0" ? 9000 : undefined),
  },
};

function decide(type: string, inside: string, facts: TapFacts = FACTS): PlannedTap {
  const xml = `<interface type='${type}'>${MAC}${inside}</interface>`;
  const found = networkInterface.parse(parseDocument(new TextEncoder().encode(xml)));
  if (!isTapped(found)) throw new Error("it has no tap");
  return decideTap(found, "net0", facts);
}
const onBridge = (inside: string, facts?: TapFacts): PlannedTap =>
  decide("bridge", `<source bridge='br0'/>${inside}`, facts);

describe("decideTap()", () => {
  // https://libvirt.org/formatdomain.html#bridge-to-lan, #overriding-the-target-element
  test.each([
    ["", "vnet1"],
    ["<target dev='vnet0'/>", "vnet1"],
    ["<target dev='web'/>", "web"],
    ["<target dev='tap%d'/>", "tap0"],
  ])("names the tap of %p %s", (target, name) => {
    expect(onBridge(target).name).toBe(name);
  });

  test("refuses a name that is taken", () => {
    expect(() => onBridge("<target dev='eth0'/>")).toThrow("a network device of that name exists");
  });

  test("refuses when each of a hundred thousand names is taken", () => {
    const taken = new Set(Array.from({ length: 100_000 }, (_, at) => `vnet${at}`));
    expect(() => onBridge("", { ...FACTS, taken })).toThrow("every name of the form vnet%d is in use");
    taken.delete("vnet99999");
    expect(onBridge("", { ...FACTS, taken }).name).toBe("vnet99999");
  });

  test("puts it on its bridge with the bridge's size, and another address than the guest has", () => {
    expect(onBridge("").setup).toEqual({ name: "vnet1", mac: "fe:54:00:00:00:0a", bridge: "br0", mtu: 1500 });
  });

  test("refuses a bridge that is not there, in libvirt's words", () => {
    expect(() => decide("bridge", "<source bridge='br9'/>")).toThrow(
      "Cannot get interface MTU on 'br9': No such device",
    );
  });

  test("gives each queue of a virtio card vhost-net, where the host has it", () => {
    const card = "<model type='virtio'/><driver queues='3'/>";
    expect(onBridge(card)).toMatchObject({ queues: 3, vhosts: 3, hasHeader: true });
    expect(onBridge(card, { ...FACTS, hasVhost: false })).toMatchObject({ queues: 3, vhosts: 0 });
    expect(onBridge("<model type='virtio'/><driver name='qemu'/>").vhosts).toBe(0);
    expect(onBridge("<model type='e1000'/>")).toMatchObject({ queues: 1, vhosts: 0, hasHeader: false });
  });

  test("refuses a card that insists on vhost-net where there is none", () => {
    const card = "<model type='virtio'/><driver name='vhost'/>";
    expect(() => onBridge(card, { ...FACTS, hasVhost: false })).toThrow("vhost-net was requested");
  });

  // tun_get_user() and tun_xdp_one() of Linux: a header has the kernel write two bytes at a place of the
  // guest's choice, behind the filter.
  test("gives a filtered card neither headers nor vhost-net, and another card of its guest no vhost-net", () => {
    const facts = { ...FACTS, isFiltered: true };
    const filter = "<filterref filter='no-mac-spoofing'/>";
    expect(onBridge(`<model type='virtio'/>${filter}`, facts)).toMatchObject({ vhosts: 0, hasHeader: false });
    expect(onBridge("<model type='virtio'/>", facts)).toMatchObject({ vhosts: 0, hasHeader: true });
    expect(() => onBridge("<model type='virtio'/><driver name='vhost'/>", facts)).toThrow(
      "Cannot use vhost-net for an interface: the guest has a packet filter, which vhost-net can bypass",
    );
  });

  test("guards a bridge that a network has made from the guest's spanning tree, and no other bridge", () => {
    const made = decide("network", "<source network='lan' bridge='br0'/>");
    expect(made.setup).toMatchObject({ bridge: "br0", isGuarded: true });
    expect(describeSetup(made.setup ?? { name: "", mac: "", bridge: "" })).toContain(
      "on bridge br0, without spanning tree, up",
    );
    expect(onBridge("").setup).not.toHaveProperty("isGuarded");
  });

  test("keeps what the XML says of size, gathering and isolation", () => {
    const setup = onBridge(
      "<port isolated='yes'/><mtu size='9000'/><coalesce><rx><frames max='7'/></rx></coalesce>",
    ).setup;
    expect(setup).toMatchObject({ mtu: 9000, gatheredFrames: 7, isolated: true });
  });

  // virNetDevBridgeSetupVlans() of libvirt: `bridge vlan add dev DEV vid VID [pvid] [untagged]`
  test.each([
    ["<vlan><tag id='42'/></vlan>", "VLAN 42 PVID untagged"],
    ["<vlan trunk='yes'><tag id='42'/><tag id='43'/></vlan>", "VLAN 42, VLAN 43"],
    ["<vlan><tag id='42' nativeMode='untagged'/><tag id='43'/></vlan>", "VLAN 42 PVID untagged, VLAN 43"],
    ["<vlan><tag id='42' nativeMode='tagged'/></vlan>", "VLAN 42 PVID"],
  ])("takes the guest out of the default VLAN and into %s", (vlan, words) => {
    const { setup } = onBridge(vlan);
    if (setup === undefined) throw new Error("nothing is set up");
    expect(setup.defaultVlan).toBe(1);
    expect(describeSetup(setup)).toBe(
      `set up tap vnet1: MAC fe:54:00:00:00:0a, MTU 1500, on bridge br0, ${words}, up`,
    );
  });

  test("refuses a VLAN on a bridge that passes every frame", () => {
    const facts = { ...FACTS, getBridge: () => ({ ...BRIDGE, filtersVlans: false }) };
    expect(() => onBridge("<vlan><tag id='42'/></vlan>", facts)).toThrow("does not filter VLANs");
  });

  test("opens a tap that is somebody else's, and leaves it as it is", () => {
    const tap = decide("ethernet", "<target dev='tap7' managed='no'/>");
    expect([tap.name, tap.isMade, tap.setup]).toEqual(["tap7", false, undefined]);
    expect(() => decide("ethernet", "<target dev='tap8' managed='no'/>")).toThrow("doesn't exist: tap8");
  });

  test("makes a tap on no bridge for an interface of type ethernet", () => {
    expect(decide("ethernet", "").setup).toEqual({ name: "vnet1", mac: "fe:54:00:00:00:0a" });
    expect(decide("ethernet", "<mtu size='9000'/>").setup).toMatchObject({ mtu: 9000 });
  });
});

test("hostEndMac() gives another address for a guest's that begins as those of hosts' ends do", () => {
  expect(hostEndMac("FE:54:00:00:00:01")).toBe("fa:54:00:00:00:01");
});

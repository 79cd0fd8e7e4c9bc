import { describe, expect, test } from "bun:test";
import { listNetworkEntries } from "../../../src/state/networks/networks.ts";
import { markNetwork, startMarkedNetworks } from "../../../src/vm/network/autostart-network.ts";
import { defineNetwork, undefineNetwork } from "../../../src/vm/network/define-network.ts";
import { findNetwork } from "../../../src/vm/network/find-network.ts";
import { createNetwork, destroyNetwork, startNetwork } from "../../../src/vm/network/start-network.ts";
import { snapshot } from "../../memory-host/machine.ts";
import { BRIDGE, LAN_UUID, networkXml } from "../../scenes/networks.ts";
import { errorOf, makeMachine, nodeOn, OTHER } from "../../scenes/scene.ts";

const IP = "<ip address='10.0.0.1' prefix='24'/>";
const DHCP = "<ip address='10.1.0.1' prefix='24'><dhcp><range start='10.1.0.2' end='10.1.0.9'/></dhcp></ip>";
const OPTIONS =
  "<d:options xmlns:d='http://libvirt.org/schemas/network/dnsmasq/1.0'><d:option value='dhcp-script=/bin/sh'/></d:options>";
const QBH = "<virtualport type='802.1Qbh'><parameters profileid='p'/></virtualport>";

describe("startNetwork()", () => {
  test.each([
    "<forward mode='private' dev='eth0'/>",
    "<forward mode='vepa'><interface dev='eth0'/><interface dev='eth1'/></forward>",
    "<forward mode='passthrough' dev='eth0'/><portgroup name='a'/>",
    "<forward mode='bridge' dev='eth0'/><port isolated='no'/>",
    `${BRIDGE}<virtualport type='openvswitch'/><vlan><tag id='1'/></vlan>`,
    `${BRIDGE}<portgroup name='a'><vlan><tag id='1'/></vlan><virtualport type='openvswitch'/></portgroup>`,
  ])("starts a network of the host's bridges and devices: %s", async (content) => {
    const node = nodeOn(makeMachine());
    await defineNetwork(node, networkXml(content));
    expect(await startNetwork(node, "lan")).toMatchObject({ did: true });
  });

  test("makes a defined network active, once", async () => {
    const node = nodeOn(makeMachine());
    await defineNetwork(node, networkXml(BRIDGE, "lan", LAN_UUID));
    expect(await startNetwork(node, "lan")).toEqual({ name: "lan", uuid: LAN_UUID, did: true });
    expect(await startNetwork(node, LAN_UUID)).toEqual({ name: "lan", uuid: LAN_UUID, did: false });
    const { active, defined } = findNetwork(node, "lan");
    expect(active).toBe(defined);
  });

  test("keeps the XML of its start while the definition changes, until its end", async () => {
    const node = nodeOn(makeMachine());
    await defineNetwork(node, networkXml(BRIDGE));
    await startNetwork(node, "lan");
    await defineNetwork(node, networkXml(BRIDGE.replace("br0", "br1")));
    expect(findNetwork(node, "lan").active).toContain("br0");
    expect(await destroyNetwork(node, "lan")).toMatchObject({ did: true });
    expect(await destroyNetwork(node, "lan")).toMatchObject({ did: false });
    await startNetwork(node, "lan");
    expect(findNetwork(node, "lan").active).toContain("br1");
  });

  test.each([
    ["<bridge zone='public'/>", "/network/bridge/@zone"],
    ["<bridge macTableManager='libvirt'/>", "/network/bridge/@macTableManager"],
    ["<ip address='10.1.0.1' prefix='25' localPtr='yes'/>", "/network/ip/@localPtr"],
    [`<domain name='lan' register='yes'/>${IP}`, "/network/domain/@register"],
    [OPTIONS, "/network/dnsmasq:options"],
    [`<forward/><bridge name='virbr*'/>${IP}`, "/network/bridge/@name"],
    [`<forward mode='route' dev='eth"0'/>${IP}`, "/network/forward/@dev"],
    ["<forward mode='private'/>", "/network/forward/interface"],
    ["<forward mode='vepa'/>", "/network/forward/interface"],
    ["<forward mode='passthrough'><pf dev='eth0'/></forward>", "/network/forward/pf"],
    ["<forward mode='bridge'><pf dev='eth0'/></forward>", "/network/forward/pf"],
    ["<forward mode='hostdev'><pf dev='eth0'/></forward>", "/network/forward/@mode"],
    ["<forward mode='private' dev='eth0'/><port isolated='yes'/>", "/network/port"],
    [`<forward mode='private' dev='eth0'/>${QBH}`, "/network/virtualport"],
    [
      `<forward mode='vepa' dev='eth0'/><portgroup name='a'>${QBH}</portgroup>`,
      "/network/portgroup/virtualport",
    ],
    ["<forward mode='passthrough' dev='eth0'/><vlan><tag id='1'/></vlan>", "/network/vlan"],
    [`<forward mode='private' dev='eth0'/>${OPTIONS}`, "/network/dnsmasq:options"],
    ["<forward mode='bridge'/>", "/network/bridge/@name"],
    [
      "<forward mode='bridge'/><bridge name='br0' macTableManager='libvirt'/>",
      "/network/bridge/@macTableManager",
    ],
    [
      `${BRIDGE}<virtualport type='midonet'><parameters interfaceid='${LAN_UUID}'/></virtualport>`,
      "/network/virtualport",
    ],
    ["<forward mode='bridge' dev='eth0'/><virtualport type='openvswitch'/>", "/network/virtualport"],
    ["<virtualport type='openvswitch'/>", "/network/virtualport"],
    [`${BRIDGE}<virtualport type='openvswitch'/><port isolated='yes'/>`, "/network/port"],
    [`${BRIDGE}<portgroup name='a'>${QBH}</portgroup>`, "/network/portgroup/virtualport"],
    [`${BRIDGE}<vlan><tag id='1'/></vlan>`, "/network/vlan"],
    [`${BRIDGE}<bandwidth><inbound average='1'/></bandwidth>`, "/network/bandwidth"],
    [`${BRIDGE}<portgroup name='a' trustGuestRxFilters='yes'/>`, "/network/portgroup/@trustGuestRxFilters"],
    [`${BRIDGE}${OPTIONS}`, "/network/dnsmasq:options"],
  ])("refuses %s with its place, and so does a network that is created", async (content, place) => {
    const machine = makeMachine();
    const before = snapshot(machine);
    const created = await errorOf(createNetwork(nodeOn(machine), networkXml(content)));
    expect([created.place, snapshot(machine)]).toEqual([place, before]);
    await defineNetwork(nodeOn(machine), networkXml(content));
    const defined = snapshot(machine);
    const error = await errorOf(startNetwork(nodeOn(machine), "lan"));
    expect([error.kind, error.place, error.message]).toEqual([
      "unsupported",
      place,
      expect.stringMatching(/^Cannot start the network 'lan': .* yet$/),
    ]);
    expect(snapshot(machine)).toEqual(defined);
  });
});

describe("createNetwork()", () => {
  test("makes a network active that is gone with its end", async () => {
    const machine = makeMachine();
    const node = nodeOn(machine);
    const { uuid } = await createNetwork(node, networkXml(BRIDGE));
    expect(listNetworkEntries(node)).toEqual([
      { name: "lan", isActive: true, isAutostarted: false, isPersistent: false },
    ]);
    expect(await createNetwork(node, networkXml(BRIDGE))).toEqual({ name: "lan", uuid, did: false });
    await destroyNetwork(node, uuid);
    expect(listNetworkEntries(node)).toEqual([]);
    expect(snapshot(machine).filter((line) => line.includes("lan"))).toEqual([]);
  });

  test("leaves the definition of its name, which applies after its end", async () => {
    const node = nodeOn(makeMachine());
    await defineNetwork(node, networkXml(BRIDGE));
    await createNetwork(node, networkXml(BRIDGE.replace("br0", "br9")));
    const { active, defined } = findNetwork(node, "lan");
    expect([active, defined]).toEqual([expect.stringContaining("br9"), expect.stringContaining("br0")]);
    await destroyNetwork(node, "lan");
    expect(listNetworkEntries(node)).toMatchObject([{ isActive: false, isPersistent: true }]);
  });

  test("refuses the name of a network with another uuid", async () => {
    const node = nodeOn(makeMachine());
    await defineNetwork(node, networkXml(BRIDGE, "lan", LAN_UUID));
    const error = await errorOf(createNetwork(node, networkXml(BRIDGE, "lan", OTHER)));
    expect(error.message).toBe(`operation failed: network 'lan' is already defined with uuid ${LAN_UUID}`);
  });
});

describe("startMarkedNetworks()", () => {
  test("starts the marked networks that are inactive, and returns the error of one that cannot start", async () => {
    const machine = makeMachine();
    const node = nodeOn(machine);
    await defineNetwork(node, networkXml(`<forward/>${DHCP}`, "default"));
    await defineNetwork(node, networkXml(BRIDGE, "lan"));
    await defineNetwork(node, networkXml(BRIDGE, "off"));
    await markNetwork(node, "default", true);
    await markNetwork(node, "lan", true);
    const first = await startMarkedNetworks(nodeOn(machine));
    expect(first.names).toEqual(["lan"]);
    expect(first.errors.map(({ message }) => message)).toEqual([expect.stringContaining("'default'")]);
    expect((await startMarkedNetworks(nodeOn(machine))).names).toEqual([]);
  });

  test("starts no network that was undefined while it was active", async () => {
    const machine = makeMachine();
    const node = nodeOn(machine);
    await defineNetwork(node, networkXml(BRIDGE));
    await markNetwork(node, "lan", true);
    await startNetwork(node, "lan");
    await undefineNetwork(node, "lan");
    await destroyNetwork(node, "lan");
    expect(await startMarkedNetworks(nodeOn(machine))).toEqual({ names: [], errors: [] });
  });
});

import { describe, expect, test } from "bun:test";
import { describe as describeStep } from "../../../src/plan/steps/describe.ts";
import { planStop } from "../../../src/plan/steps/inverse.ts";
import { readDefinition } from "../../../src/state/definitions.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice, updateDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { getPortXml } from "../../../src/vm/network/network-ports.ts";
import { createNetwork } from "../../../src/vm/network/start-network.ts";
import { listInterfaces } from "../../../src/vm/query/interface-list.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { snapshot } from "../../memory-host/machine.ts";
import { deviceOf, recordOf, wholeState } from "../../scenes/hotplug.ts";
import { networkXml } from "../../scenes/networks.ts";
import { domainXml, errorOf, makeMachine, nodeOn, reapAll, sweepAll, UUID } from "../../scenes/scene.ts";
import { ID, ONE, OVS, onSwitch, runningOnSwitch, switched } from "../../scenes/switched.ts";

const ASK = { key: "vm1", options: { live: true }, isDryRun: false };
const SWITCHED = "<forward mode='bridge'/><bridge name='ovsbr0'/><virtualport type='openvswitch'/>";

/**
 * Adds the port of a tap as addPortCommand() does, whose words virNetDevOpenvswitchAddPort() of libvirt has.
 */
const port = (tap: string, last: string, more = ""): string =>
  `${tap} ovsbr0 other_config:transient=true ${more}external-ids:attached-mac="52:54:00:00:00:${last}" external-ids:iface-id="${ID}" external-ids:vm-id="${UUID}" external-ids:port-profile="bob" external-ids:iface-status=active`;

describe("a guest's port of Open vSwitch", () => {
  test("is added with its VLAN and identifiers before the tap is brought up, and removed at the end", async () => {
    const { machine, vswitch } = switched();
    const before = snapshot(machine);
    await startDomain(nodeOn(machine), domainXml({ devices: ONE }));
    expect(vswitch.ports).toEqual([port("vnet0", "01", "tag=7 ")]);
    expect(vswitch.run[1]).toStartWith(
      "/usr/bin/ovs-vsctl --timeout=5 -- --if-exists del-port vnet0 -- add-port ovsbr0 vnet0 ",
    );
    expect(planStop(recordOf(machine).steps).map(describeStep)).toContain(
      "remove the Open vSwitch port and the tap vnet0 if it still exists (the kernel removes it with QEMU's last descriptor)",
    );
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });

  test.each([
    ["<vlan trunk='yes'><tag id='42'/><tag id='48'/><tag id='456'/></vlan>", "trunk=42,48,456 "],
    [
      "<vlan trunk='yes'><tag id='42' nativeMode='untagged'/><tag id='123'/></vlan>",
      "vlan_mode=native-untagged tag=42 trunk=42,123 ",
    ],
    ["<vlan><tag id='42' nativeMode='tagged'/></vlan>", "vlan_mode=native-tagged tag=42 trunk=42 "],
    ["", ""],
  ])("has the VLANs of %s", async (vlan, words) => {
    const { vswitch } = await runningOnSwitch(onSwitch("01", `${vlan}${OVS}`));
    expect(vswitch.ports).toEqual([port("vnet0", "01", words)]);
  });

  test("replaces one that is left over, with its VLAN", async () => {
    const { machine, vswitch } = switched();
    vswitch.addPort("vnet0", `ovsbr1 tag=99 external-ids:vm-id="${UUID}"`);
    await startDomain(nodeOn(machine), domainXml({ devices: onSwitch("01", OVS) }));
    expect(vswitch.ports).toEqual([port("vnet0", "01")]);
  });

  test("stays if another program has replaced it", async () => {
    const { machine, vswitch } = await runningOnSwitch();
    vswitch.addPort("vnet0", "ovsbr0 of another program");
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(vswitch.names).toEqual(["vnet0"]);
  });

  test("has an interfaceid of the definition, or a generated one that stays", async () => {
    const { machine, vswitch } = switched();
    const plain = domainXml({ devices: onSwitch("01", "<virtualport type='openvswitch'/>") });
    await defineDomain(nodeOn(machine), plain);
    const { xml = "" } = readDefinition(nodeOn(machine), "vm1") ?? {};
    const [, id = ""] = /interfaceid='([^']+)'/.exec(xml) ?? [];
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    await startDomain(nodeOn(machine), new TextEncoder().encode(xml));
    expect(vswitch.ports[0]).toContain(`iface-id="${id}"`);
    expect(recordOf(machine).xml).toContain(`<parameters interfaceid='${id}'/>`);
  });

  test("quotes a profile as the database reads it", async () => {
    const profile = OVS.replace("bob", `a&quot; external-ids:b=c \\`);
    const { vswitch } = await runningOnSwitch(onSwitch("01", profile));
    expect(vswitch.run[1]).toContain('external-ids:port-profile="a\\" external-ids:b=c \\\\"');
  });
});

test("Open vSwitch is asked without the registry's lock, which would delay all other guests", async () => {
  const { machine, vswitch } = await runningOnSwitch();
  await attachDevice(nodeOn(machine), ASK, deviceOf(onSwitch("02", OVS)));
  await detachDevice(nodeOn(machine), ASK, deviceOf(onSwitch("02", OVS)));
  vswitch.isSwitchDown = true;
  await errorOf(attachDevice(nodeOn(machine), ASK, deviceOf(onSwitch("03", OVS))));
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  expect(vswitch.names).toEqual([]);
  expect(machine.violations).toEqual([]);
});

describe("a start on Open vSwitch", () => {
  test.each([
    [
      "bridge='br9'",
      "not-found",
      ["Cannot get interface MTU on 'br9': No such device", "Create the bridge: ovs-vsctl add-br br9"],
    ],
    [
      "bridge='--'",
      "unsupported",
      [
        "Cannot connect the guest to Open vSwitch: ovs-vsctl reads '--' as the end of a command",
        "Rename the bridge.",
      ],
    ],
    [
      "bridge='br0'",
      "failed",
      [
        "Unable to add port vnet0 to OVS bridge br0: ovs-vsctl: no bridge named br0",
        "Name a bridge of Open vSwitch, and look at its state: ovs-vsctl show",
      ],
    ],
  ] as const)("without the bridge %s is undone", async (source, kind, [message, remedy]) => {
    const { machine } = switched();
    const before = snapshot(machine);
    const error = await errorOf(
      startDomain(nodeOn(machine), domainXml({ devices: onSwitch("01", OVS, source) })),
    );
    expect<string[]>([error.kind, error.message, error.remedy]).toEqual([kind, message, remedy]);
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });

  test("without its program changes nothing", async () => {
    const machine = makeMachine();
    machine.taps.addSwitch("ovsbr0");
    const before = snapshot(machine);
    const error = await errorOf(startDomain(nodeOn(machine), domainXml({ devices: ONE })));
    expect([error.kind, error.message, error.remedy]).toEqual([
      "unsupported",
      "Cannot connect the guest to Open vSwitch: /usr/bin/ovs-vsctl is missing",
      "Install openvswitch-switch.",
    ]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("of a switch that does not run is undone, without its port", async () => {
    const { machine, vswitch } = switched();
    const before = snapshot(machine);
    vswitch.isSwitchDown = true;
    const error = await errorOf(startDomain(nodeOn(machine), domainXml({ devices: ONE })));
    expect([error.kind, error.message]).toEqual([
      "timeout",
      "Unable to add port vnet0 to OVS bridge ovsbr0: ovs-vswitchd does not answer",
    ]);
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });
});

test("the end of a guest whose database does not answer is finished when it does", async () => {
  const { machine, vswitch } = await runningOnSwitch();
  vswitch.isDatabaseDown = true;
  const error = await errorOf(destroyDomain(nodeOn(machine), "vm1"));
  expect(error.message).toContain("Unable to delete port vnet0 from OVS: its database does not answer");
  expect(error.remedy).toContain("systemctl start openvswitch-switch");
  // Another guest must not have a tap of that name, which the switch would connect.
  const other = { name: "vm2", uuid: UUID.replace(/1$/, "2") };
  await startDomain(nodeOn(machine), domainXml({ ...other, devices: onSwitch("02", "", "bridge='br0'") }));
  expect(listInterfaces(nodeOn(machine), "vm2", "running")[0]?.interface).toBe("vnet1");
  vswitch.isDatabaseDown = false;
  await sweepAll(machine);
  expect(vswitch.names).toEqual([]);
  await startDomain(nodeOn(machine), domainXml({ devices: ONE }));
  expect(vswitch.ports).toEqual([port("vnet0", "01", "tag=7 ")]);
});

describe("a running guest", () => {
  const second = deviceOf(onSwitch("02", OVS));

  test("is given a port, and lets go of it without a trace", async () => {
    const { machine, vswitch } = await runningOnSwitch();
    const before = wholeState(machine);
    await attachDevice(nodeOn(machine), ASK, second);
    expect(vswitch.ports).toEqual([port("vnet0", "01", "tag=7 "), port("vnet1", "02")]);
    await detachDevice(nodeOn(machine), ASK, second);
    expect(wholeState(machine)).toEqual(before);
  });

  test("changes its link with the XML that it was started with, and neither its VLAN nor its port", async () => {
    const { machine, vswitch } = await runningOnSwitch(onSwitch("01", "<virtualport type='openvswitch'/>"));
    const [, rest = ""] =
      /<model type='virtio'\/>(\s*<alias [^>]*>\s*<address [^>]*>)/.exec(recordOf(machine).xml) ?? [];
    const asked = (
      more: string,
    ): { readonly device: ReturnType<typeof deviceOf>; readonly force: false } => ({
      device: deviceOf(
        onSwitch("01", more).replace("</interface>", `<link state='down'/>${rest}</interface>`),
      ),
      force: false,
    });
    const ports = [...vswitch.ports];
    await updateDevice(nodeOn(machine), ASK, asked("<virtualport type='openvswitch'/>"));
    expect(recordOf(machine).xml).toContain("<link state='down'/>");
    expect(vswitch.ports).toEqual(ports);
    for (const [more, field] of [
      ["<vlan><tag id='8'/></vlan><virtualport type='openvswitch'/>", "vlan"],
      [OVS, "virtualport"],
    ] as const) {
      const error = await errorOf(updateDevice(nodeOn(machine), ASK, asked(more)));
      expect(error.message).toBe(`Operation not supported: cannot modify field '${field}' of the interface`);
    }
  });
});

describe("a network on an Open vSwitch bridge", () => {
  const GROUPS =
    "<portgroup name='a' default='yes'><vlan><tag id='7'/></vlan></portgroup>" +
    "<portgroup name='b'><vlan trunk='yes'><tag id='8'/><tag id='9'/></vlan><virtualport type='openvswitch'><parameters profileid='blue'/></virtualport></portgroup>";

  test("gives each guest a port with the VLANs of its port group", async () => {
    const { machine, vswitch } = switched();
    await createNetwork(nodeOn(machine), networkXml(`${SWITCHED}${GROUPS}`));
    const devices =
      onSwitch("01", "", "network='lan'") +
      onSwitch("02", "", "network='lan' portgroup='b'") +
      onSwitch("03", "<vlan><tag id='3'/></vlan>", "network='lan'");
    await startDomain(nodeOn(machine), domainXml({ devices }));
    expect(vswitch.ports).toEqual([
      expect.stringContaining("transient=true tag=7 "),
      expect.stringMatching(/transient=true trunk=8,9 .*port-profile="blue"/),
      expect.stringContaining("transient=true tag=3 "),
    ]);
    const { xml } = recordOf(machine);
    // As libvirt shows an interface whose network is a bridge. virDomainActualNetDefContentsFormat()
    expect(xml).toMatch(
      /<interface type='bridge'>\s*<mac address='52:54:00:00:00:02'\/>\s*<source network='lan' portgroup='b' portid='[^']+' bridge='ovsbr0'\/>\s*<vlan trunk='yes'>\s*<tag id='8'\/>\s*<tag id='9'\/>\s*<\/vlan>\s*<virtualport type='openvswitch'>\s*<parameters interfaceid='[^']+' profileid='blue'\/>\s*<\/virtualport>\s*<target dev='vnet1'\/>/,
    );
    const [, portId = ""] = /portgroup='b' portid='([^']+)'/.exec(xml) ?? [];
    // virNetworkPortDefFormatBuf() of libvirt
    expect(getPortXml(nodeOn(machine), "lan", portId).xml).toMatch(
      /<mac address='52:54:00:00:00:02'\/>\s*<virtualport type='openvswitch'>\s*<parameters interfaceid='[^']+' profileid='blue'\/>\s*<\/virtualport>\s*<vlan trunk='yes'>/,
    );
    expect(
      listInterfaces(nodeOn(machine), "vm1", "running").map((one) => [one.interface, one.type, one.source]),
    ).toEqual([
      ["vnet0", "bridge", "lan"],
      ["vnet1", "bridge", "lan"],
      ["vnet2", "bridge", "lan"],
    ]);
  });

  test.each([
    [
      "<virtualport type='midonet'><parameters interfaceid='0b2d64da-3d0e-431e-afdd-804415d6ebbb'/></virtualport>",
      "attempt to merge virtualports with mismatched types (midonet and openvswitch)",
    ],
    [
      "<virtualport><parameters profileid='a'/></virtualport>",
      "attempt to merge virtualports with mismatched profileids ('a' and 'b')",
    ],
    ["<port isolated='yes'/>", "only a port of a Linux bridge can be isolated"],
    [
      "<bandwidth><inbound average='1'/></bandwidth>",
      "svirt does not limit the traffic of a port of Open vSwitch",
    ],
  ])("refuses a guest with %s", async (more, message) => {
    const { machine } = switched();
    const network = SWITCHED.replace("/>$", "").replace(
      "<virtualport type='openvswitch'/>",
      "<virtualport type='openvswitch'><parameters profileid='b'/></virtualport>",
    );
    await createNetwork(nodeOn(machine), networkXml(network));
    const before = snapshot(machine);
    const devices = onSwitch("01", more, "network='lan'");
    expect((await errorOf(startDomain(nodeOn(machine), domainXml({ devices })))).message).toContain(message);
    expect(snapshot(machine)).toEqual(before);
  });

  test("refuses a virtual port on a bridge that the network makes", async () => {
    const { machine } = switched();
    await createNetwork(nodeOn(machine), networkXml("<bridge name='virbr7'/>"));
    const devices = onSwitch("01", OVS, "network='lan'");
    expect((await errorOf(startDomain(nodeOn(machine), domainXml({ devices })))).message).toContain(
      "<virtualport type='openvswitch'> not supported for network 'lan' which uses IP forwarding",
    );
  });

  // virNetDevVPortProfileParse() of libvirt: the network decides which of the identifiers counts.
  test("generates the identifiers of a port without a type, and uses that of the network's type", async () => {
    const { machine, vswitch } = switched();
    await createNetwork(nodeOn(machine), networkXml(SWITCHED));
    const untyped = "<virtualport><parameters profileid='a'/></virtualport>";
    await defineDomain(nodeOn(machine), domainXml({ devices: onSwitch("01", untyped, "network='lan'") }));
    const { xml = "" } = readDefinition(nodeOn(machine), "vm1") ?? {};
    const [, id = ""] =
      /<virtualport>\s*<parameters instanceid='[^']{36}' interfaceid='([^']{36})' profileid='a'\/>/.exec(
        xml,
      ) ?? [];
    expect(id).not.toBe("");
    await startDomain(nodeOn(machine), new TextEncoder().encode(xml));
    expect(vswitch.ports[0]).toContain(`iface-id="${id}"`);
    // virNetDevVPortProfileFormat() of libvirt
    expect(recordOf(machine).xml).toContain(`<parameters interfaceid='${id}' profileid='a'/>`);
  });
});

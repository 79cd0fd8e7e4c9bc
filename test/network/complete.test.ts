import { describe, expect, test } from "bun:test";
import { SvirtError } from "../../src/errors.ts";
import { pickBridgeName } from "../../src/network/bridge-name.ts";
import { completeNetwork } from "../../src/network/complete.ts";
import { formatNetwork, parseNetwork } from "../../src/network/document.ts";
import { networkWith } from "./cases.ts";

const SPARES = {
  uuid: "3e3fce45-4f53-4fa7-bb32-11f34168b82b",
  mac: "52:54:00:c7:53:6c",
  bridge: "virbr4",
};

describe("a network is completed as libvirt defines it", () => {
  // The default network: src/network/default.xml.in of libvirt, without a bridge's name.
  test("gets a UUID, a bridge and its MAC address", () => {
    const defined = networkWith(`<forward mode='nat'/>
      <ip address='192.168.122.1' netmask='255.255.255.0'>
        <dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp>
      </ip>`);
    expect(formatNetwork(completeNetwork(parseNetwork(defined), SPARES))).toBe(`<network>
  <name>n</name>
  <uuid>3e3fce45-4f53-4fa7-bb32-11f34168b82b</uuid>
  <forward mode='nat'/>
  <bridge name='virbr4' stp='on' delay='0'/>
  <mac address='52:54:00:c7:53:6c'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.122.2' end='192.168.122.254'/>
    </dhcp>
  </ip>
</network>
`);
  });

  test("keeps its own UUID, bridge and MAC address, and gets none for a bridge of the host", () => {
    const own = `<uuid>81ff0d90-c91e-6742-64da-4a736edb9acb</uuid><bridge name='br1'/><mac address='52:54:00:00:00:01'/>`;
    expect(completeNetwork(parseNetwork(networkWith(own)), SPARES)).toMatchObject({
      uuid: "81ff0d90-c91e-6742-64da-4a736edb9acb",
      bridge: { name: "br1" },
      mac: { address: "52:54:00:00:00:01" },
    });
    const host = completeNetwork(
      parseNetwork(networkWith("<forward mode='bridge'/><bridge name='br0'/>")),
      SPARES,
    );
    expect(host.mac).toBeUndefined();
    expect(host.bridge).toEqual({ name: "br0" });
  });

  test("replaces the template of a bridge's name", () => {
    const network = parseNetwork(networkWith("<bridge name='lab%d'/>"));
    expect(completeNetwork(network, { ...SPARES, bridge: "lab3" }).bridge?.name).toBe("lab3");
  });

  test("has its bridge named by the first unused number", () => {
    expect(pickBridgeName(undefined, (name) => name === "virbr0")).toBe("virbr1");
    expect(pickBridgeName("lab%d", () => false)).toBe("lab0");
    expect(() => pickBridgeName(undefined, () => true)).toThrow("virbr%d is used");
  });
});

describe("a network that libvirt reads and does not define is refused by its place", () => {
  const DHCP = "<dhcp><range start='10.0.0.2' end='10.0.0.3'/></dhcp>";
  const BRIDGE = "<forward mode='bridge'/><bridge name='br0'/>";
  test.each([
    [`${BRIDGE}<mac address='52:54:00:00:00:01'/>`, "/network/mac"],
    [`${BRIDGE}<ip address='10.0.0.1'/>`, "/network/ip"],
    [`${BRIDGE}<dns><txt name='a' value='b'/></dns>`, "/network/dns"],
    [`${BRIDGE}<domain name='a'/>`, "/network/domain"],
    ["<forward mode='vepa' dev='a'/><bandwidth><inbound average='1'/></bandwidth>", "/network/bandwidth"],
    [
      "<forward mode='vepa' dev='a'/><portgroup name='p'><bandwidth><inbound average='1'/></bandwidth></portgroup>",
      "/network/portgroup/bandwidth",
    ],
    ["<forward mode='hostdev' dev='a'/>", "/network/forward/interface"],
    [
      "<forward mode='passthrough'><address type='pci' bus='1' slot='2' function='0'/></forward>",
      "/network/forward/address",
    ],
    [`<ip address='10.0.0.1'>${DHCP}</ip><ip address='10.0.0.1'>${DHCP}</ip>`, "/network/ip[2]/dhcp"],
    ["<portgroup name='a'/><portgroup name='a'/>", "/network/portgroup[2]/@name"],
    [
      "<portgroup name='a' default='yes'/><portgroup name='b' default='yes'/>",
      "/network/portgroup[2]/@default",
    ],
    ["<vlan><tag id='1'/></vlan>", "/network/vlan"],
    [
      `${BRIDGE}<portgroup name='a'><vlan><tag id='1'/></vlan><virtualport type='midonet'/></portgroup>`,
      "/network/portgroup/vlan",
    ],
    [`${BRIDGE}<vlan><tag id='1'/></vlan><virtualport type='midonet'/>`, "/network/vlan"],
  ])("%s", (content, place) => {
    const network = parseNetwork(networkWith(content));
    try {
      completeNetwork(network, SPARES);
      expect.unreachable();
    } catch (thrown) {
      if (!(thrown instanceof SvirtError)) throw thrown;
      expect([thrown.place, thrown.kind]).toEqual([place, "unsupported"]);
    }
  });

  test.each([
    `${BRIDGE}<bandwidth><inbound average='1'/></bandwidth>`,
    `${BRIDGE}<virtualport type='openvswitch'/><vlan><tag id='1'/></vlan>`,
    "<forward mode='passthrough' dev='a'/><vlan><tag id='1'/></vlan>",
    // networkValidate() of libvirt 11.3.0: a standard Linux bridge
    `${BRIDGE}<vlan><tag id='1'/></vlan>`,
    `${BRIDGE}<portgroup name='a'><vlan><tag id='1'/></vlan></portgroup>`,
    `${BRIDGE}<portgroup name='a'><vlan><tag id='1'/></vlan><virtualport type='openvswitch'/></portgroup>`,
    `<ip address='10.0.0.1'>${DHCP}</ip><ip address='10.1.0.1'/>`,
  ])("%s is defined", (content) => {
    expect(completeNetwork(parseNetwork(networkWith(content)), SPARES).name).toBe("n");
  });
});

/** Elements that a document may have, parseDocument(). */
const MOST = 19_000;
/** Processor time, which a quadratic rule exceeds. */
const MOST_CPU_MS = 2000;
/** The runner's five seconds are not processor time. */
const TIMEOUT_MS = 120_000;

describe("a network of many parts is read in time that grows with them", () => {
  const many = (part: (at: number) => string, count = MOST): string =>
    Array.from({ length: count }, (_, at) => part(at)).join("");
  test.each([
    [
      "port groups",
      `<forward mode='bridge'/><bridge name='br0'/>${many((at) => `<portgroup name='g${at}'/>`)}`,
    ],
    ["devices", `<forward mode='private'>${many((at) => `<interface dev='e${at}'/>`)}</forward>`],
    [
      "routes that the last address reaches",
      many((at) => `<ip address='10.1.${at >> 8}.${at & 255}' prefix='30'/>`, MOST / 2) +
        `<ip address='11.0.0.1' prefix='8'/>` +
        many(() => "<route address='10.0.0.0' prefix='8' gateway='11.0.0.1'/>", MOST / 2),
    ],
  ])(
    "%s",
    (_, content) => {
      const before = process.cpuUsage();
      completeNetwork(parseNetwork(networkWith(content)), SPARES);
      const { system, user } = process.cpuUsage(before);
      expect((user + system) / 1000).toBeLessThan(MOST_CPU_MS);
    },
    TIMEOUT_MS,
  );
});

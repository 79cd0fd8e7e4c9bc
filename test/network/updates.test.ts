import { describe, expect, test } from "bun:test";
import { asSvirtError } from "../../src/errors.ts";
import { formatNetwork, parseNetwork } from "../../src/network/document.ts";
import type { UpdateCommand } from "../../src/network/edits/lists.ts";
import { type UpdateSection, updateNetwork } from "../../src/network/edits/update.ts";
import { networkXml } from "../scenes/networks.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Asked {
  readonly content: string;
  readonly section: UpdateSection;
  readonly command: UpdateCommand;
  readonly entry: string;
  readonly parentIndex?: number;
  readonly uses?: ReadonlyMap<string, number>;
}

/** Returns the network's XML after an update, or its error. */
function updated({ content, entry, uses = new Map(), parentIndex, ...update }: Asked) {
  try {
    const network = parseNetwork(networkXml(content));
    return formatNetwork(updateNetwork(network, { ...update, entry: encode(entry), parentIndex }, uses));
  } catch (error) {
    const { kind, libvirt, message } = asSvirtError(error);
    return [kind, libvirt.name, message];
  }
}

const POOL = "<forward mode='private'><interface dev='eth0'/><interface dev='eth1'/></forward>";
const V4 =
  "<ip address='10.0.0.1' prefix='24'><dhcp><range start='10.0.0.2' end='10.0.0.9'/><host mac='52:54:00:00:00:01' name='a' ip='10.0.0.2'/></dhcp></ip>";
const BARE = "<ip address='10.0.0.1' prefix='24'/>";
const V6 = "<ip family='ipv6' address='2001:db8::1' prefix='64'/>";
const DNS =
  "<dns><txt name='a' value='b'/><srv service='s' protocol='tcp' target='t1'/><srv service='s' protocol='tcp' target='t2'/>" +
  "<host ip='10.0.0.7'><hostname>a</hostname></host><host ip='10.0.0.8'><hostname>a</hostname></host></dns>";
const GROUPS = `${POOL}<portgroup name='a' default='yes'/><portgroup name='b'/>`;
const CONTENTS = new Map(Object.entries({ POOL, V4, DNS, GROUPS }));

/** Error by the prefix that libvirt gives its message. virErrorMsg() of libvirt */
const ERRORS = new Map([
  ["Requested operation is not valid", ["wrong-state", "VIR_ERR_OPERATION_INVALID"]],
  ["Operation not supported", ["unsupported", "VIR_ERR_OPERATION_UNSUPPORTED"]],
  ["XML error", ["xml", "VIR_ERR_XML_ERROR"]],
]);

// Messages of virNetworkDefUpdateSection() and the functions that it calls, in src/conf/network_conf.c of
// libvirt 11.3.
const REFUSALS = refusalsIn(`
POOL | bridge | modify | <bridge/> | Operation not supported: can't update 'bridge' section of network 'lan'
POOL | domain | modify | <domain/> | Operation not supported: can't update 'domain' section of network 'lan'
POOL | ip | add-last | <ip/> | Operation not supported: can't update 'ip' section of network 'lan'
POOL | forward | modify | <forward/> | Operation not supported: can't update 'forward' section of network 'lan'
POOL | forward-pf | delete | <pf dev='a'/> | Operation not supported: can't update 'forward pf' section of network 'lan'
POOL | portgroup | add-last | <group/> | XML error: unexpected element <group>, expecting <portgroup>, while updating network 'lan'
POOL | forward-interface | modify | <interface dev='eth0'/> | Operation not supported: forward interface entries cannot be modified, only added or deleted
POOL | forward-interface | add-last | <interface dev='eth1'/> | Requested operation is not valid: there is an existing interface entry in network 'lan' that matches "<interface dev='eth1'>"
POOL | forward-interface | delete | <interface dev='eth7'/> | Requested operation is not valid: couldn't find an interface entry in network 'lan' matching <interface dev='eth7'>
GROUPS | portgroup | add-last | <portgroup name='b'/> | Requested operation is not valid: there is an existing portgroup entry in network 'lan' that matches "<portgroup name='b'>"
GROUPS | portgroup | delete | <portgroup name='c'/> | Requested operation is not valid: couldn't find a portgroup entry in network 'lan' matching <portgroup name='c'>
GROUPS | portgroup | modify | <portgroup name='b' default='yes'/> | Requested operation is not valid: a different portgroup entry in network 'lan' is already set as the default. Only one default is allowed.
V4 | ip-dhcp-host | add-last | <host name='a' ip='10.0.0.4'/> | Requested operation is not valid: there is an existing dhcp host entry in network 'lan' that matches "<host mac='unknown' name='a' ip='10.0.0.4'/>"
V4 | ip-dhcp-host | modify | <host name='z' ip='10.0.0.4'/> | Requested operation is not valid: couldn't locate an existing dhcp host entry with "mac='unknown'" "name='z'" "ip='10.0.0.4'" in network 'lan'
V4 | ip-dhcp-host | delete | <host name='z'/> | Requested operation is not valid: couldn't locate a matching dhcp host entry in network 'lan'
V4 | ip-dhcp-host | add-last | <host name='z' ip='2001:db8::2'/> | Requested operation is not valid: the address family of a host entry IP must match the address family of the dhcp element's parent
V4 | ip-dhcp-range | add-last | <range start='2001:db8::2' end='2001:db8::3'/> | Requested operation is not valid: the address family of a dhcp range must match the address family of the dhcp element's parent
V4 | ip-dhcp-range | modify | <range start='10.0.0.2' end='10.0.0.9'/> | Operation not supported: dhcp ranges cannot be modified, only added or deleted
V4 | ip-dhcp-range | add-first | <range start='10.0.0.2' end='10.0.0.9'/> | Requested operation is not valid: there is an existing dhcp range entry in network 'lan' that matches "<range start='10.0.0.2' end='10.0.0.9'/>"
V4 | ip-dhcp-range | delete | <range start='10.0.0.2' end='10.0.0.8'/> | Requested operation is not valid: couldn't locate a matching dhcp range entry in network 'lan'
POOL | ip-dhcp-range | add-last | <range start='10.0.0.2' end='10.0.0.9'/> | Requested operation is not valid: couldn't update dhcp host entry - no <ip> element found in network 'lan'
DNS | dns-host | add-last | <host ip='10.0.0.7'><hostname>z</hostname></host> | Requested operation is not valid: there is already at least one DNS HOST record with a matching field in network lan
DNS | dns-host | delete | <host ip='10.0.0.9'/> | Requested operation is not valid: couldn't locate a matching DNS HOST record in network lan
DNS | dns-host | delete | <host><hostname>a</hostname></host> | Requested operation is not valid: multiple matching DNS HOST records were found in network lan
DNS | dns-host | modify | <host><hostname>a</hostname></host> | Requested operation is not valid: couldn't locate a matching DNS HOST record in network lan
DNS | dns-srv | modify | <srv service='s' protocol='tcp'/> | Operation not supported: DNS SRV records cannot be modified, only added or deleted
DNS | dns-srv | add-last | <srv service='s' protocol='tcp'/> | Requested operation is not valid: there is already at least one DNS SRV record matching all specified fields in network lan
DNS | dns-srv | delete | <srv service='s'/> | Requested operation is not valid: multiple DNS SRV records matching all specified fields were found in network lan
DNS | dns-srv | delete | <srv service='z'/> | Requested operation is not valid: couldn't locate a matching DNS SRV record in network lan
DNS | dns-txt | add-last | <txt name='a' value='c'/> | Requested operation is not valid: there is already a DNS TXT record with name 'a' in network lan
DNS | dns-txt | modify | <txt name='z' value='c'/> | Requested operation is not valid: couldn't locate a matching DNS TXT record in network lan
DNS | dns-txt | modify | <txt name='a'/> | Requested operation is not valid: missing value of modifying DNS TXT record in network lan
`);

/** Returns the cases of a table: network, section, command, entry, prefix and message. */
function refusalsIn(table: string): readonly (readonly string[])[] {
  return table
    .trim()
    .split("\n")
    .map((line) => line.split(" | "))
    .map(([content = "", section = "", command = "", entry = "", message = ""]) => {
      const [prefix = ""] = message.split(": ", 1);
      return [content, section, command, entry, prefix, message];
    });
}

describe("updateNetwork()", () => {
  test("adds a device first or last, and <forward dev> is the first one", () => {
    const asked = { content: POOL, section: "forward-interface", entry: "<interface dev='eth2'/>" } as const;
    expect(updated({ ...asked, command: "add-first" })).toContain(
      "<forward dev='eth2' mode='private'>\n    <interface dev='eth2'/>\n    <interface dev='eth0'/>\n    <interface dev='eth1'/>\n",
    );
    expect(updated({ ...asked, command: "add-last" })).toContain(
      "<forward dev='eth0' mode='private'>\n    <interface dev='eth0'/>\n    <interface dev='eth1'/>\n    <interface dev='eth2'/>\n",
    );
  });

  test("edits the <ip> of an index, or the one that has DHCP, or the first of IPv4", () => {
    const entry = "<range start='10.0.0.20' end='10.0.0.29'/>";
    const range = { section: "ip-dhcp-range", command: "add-last", entry } as const;
    expect(updated({ ...range, content: V6 + BARE })).toContain(
      "<ip address='10.0.0.1' prefix='24'>\n    <dhcp>\n      <range start='10.0.0.20' end='10.0.0.29'/>",
    );
    expect(updated({ ...range, content: BARE.replace("10.0.0", "10.1.0") + V4 })).toContain(
      "<range start='10.0.0.2' end='10.0.0.9'/>\n      <range start='10.0.0.20' end='10.0.0.29'/>",
    );
    expect(
      updated({
        ...range,
        content: V4 + V6,
        parentIndex: 1,
        entry: "<range start='2001:db8::2' end='2001:db8::9'/>",
      }),
    ).toContain("<range start='2001:db8::2' end='2001:db8::9'/>");
  });

  test("finds a guest's fixed address by any of its parts, whatever the case of its MAC address", () => {
    const host = { content: V4.replace("00:01'", "00:aB'"), section: "ip-dhcp-host" } as const;
    expect(updated({ ...host, command: "delete", entry: "<host mac='52:54:00:00:00:AB'/>" })).not.toContain(
      "<host",
    );
    expect(
      updated({ ...host, command: "modify", entry: "<host mac='52:54:00:00:00:ab' ip='10.0.0.3'/>" }),
    ).toContain("<host mac='52:54:00:00:00:ab' ip='10.0.0.3'/>");
  });

  test.each(REFUSALS)("of %s refuses %s %s %s as %s: %s", (...found) => {
    const [content = "", section = "", command = "", entry = "", error = "", message = ""] = found;
    expect(
      updated({
        content: CONTENTS.get(content) ?? "",
        section: section as UpdateSection,
        command: command as UpdateCommand,
        entry,
      }),
    ).toEqual([...(ERRORS.get(error) ?? []), message]);
  });

  test("names the index at which there is no <ip>", () => {
    const entry = "<range start='10.0.0.2' end='10.0.0.9'/>";
    const asked = {
      content: V4,
      section: "ip-dhcp-range",
      command: "add-last",
      entry,
      parentIndex: 3,
    } as const;
    expect(String(updated(asked))).toContain(
      "couldn't update dhcp host entry - no <ip> element found at index 3 in network 'lan'",
    );
  });

  test("serves one <ip> of each family", () => {
    const entry = "<range start='10.1.0.2' end='10.1.0.9'/>";
    const content = V4 + BARE.replace("10.0.0", "10.1.0");
    const asked = { content, section: "ip-dhcp-range", command: "add-last", entry, parentIndex: 1 } as const;
    expect(String(updated(asked))).toContain(
      "dhcp is supported only for a single IPv4 address on each network",
    );
  });

  test("removes no device that guests use", () => {
    const uses = new Map([["eth1", 2]]);
    const asked = { content: POOL, section: "forward-interface", command: "delete", uses } as const;
    expect(String(updated({ ...asked, entry: "<interface dev='eth1'/>" }))).toContain(
      "unable to delete interface 'eth1' in network 'lan'. It is currently being used by 2 domains.",
    );
    expect(updated({ ...asked, entry: "<interface dev='eth0'/>" })).toContain("<forward dev='eth1'");
  });

  test.each([
    ["an entry that contradicts the network", "<forward/>", "forward-interface", "<interface dev='b'/>"],
    [
      "a device for a bridge",
      "<forward mode='bridge'/><bridge name='br0'/>",
      "forward-interface",
      "<interface dev='b'/>",
    ],
    ["a device for a network without <forward>", "", "forward-interface", "<interface dev='b'/>"],
    ["an incomplete entry", V4, "ip-dhcp-host", "<host ip='10.0.0.4'/>"],
    ["a range outside of its network", V4, "ip-dhcp-range", "<range start='10.1.0.2' end='10.1.0.9'/>"],
    [
      "a record with another line for dnsmasq",
      DNS,
      "dns-txt",
      "<txt name='x' value='a&#10;dhcp-script=/bin/sh'/>",
    ],
    ["an unknown attribute", POOL, "portgroup", "<portgroup name='x' frob='1'/>"],
    ["two entries", POOL, "portgroup", "<portgroup name='x'/><portgroup name='y'/>"],
  ] as const)("refuses %s", (...[, content, section, entry]) => {
    const dev = content === "<forward/>" ? `<forward dev='a'/>${BARE}` : content;
    const [kind] = updated({ content: dev, section, command: "add-last", entry });
    expect(["xml", "unsupported", "wrong-state"]).toContain(String(kind));
  });
});

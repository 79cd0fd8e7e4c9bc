import { describe, expect, test } from "bun:test";
import { SvirtError } from "../../src/errors.ts";
import { formatNetwork, parseNetwork } from "../../src/network/document.ts";
import { network } from "../../src/network/forms/network.ts";
import type { ElementForm } from "../../src/xml/declaration.ts";
import { addPrefix } from "../../src/xml/namespace.ts";
import { parseDocument } from "../../src/xml/parse-document.ts";
import { bytesOf } from "../domain/corpus.ts";
import { listDeclared, listFilled } from "../style/declared-places.ts";
import { networkWith, readDocuments } from "./cases.ts";

const DNSMASQ = "http://libvirt.org/schemas/network/dnsmasq/1.0";
const networks = await readDocuments("network");

describe("a network's document", () => {
  test.each(networks)("%s is written as it is read", (_, text) => {
    expect(formatNetwork(parseNetwork(bytesOf(text)))).toBe(text);
  });

  test("has every declared place in a document of test/data/network/", () => {
    expect(listUntried(network, networks)).toEqual([]);
  });
});

/** Lists the declared places that no document fills. */
function listUntried(form: ElementForm<unknown>, documents: typeof networks): readonly string[] {
  const filled = documents.flatMap(([, text]) =>
    listFilled(form, addPrefix(parseDocument(bytesOf(text)), DNSMASQ, "dnsmasq")),
  );
  const tried = new Set(filled.map(({ path }) => path));
  return listDeclared(form)
    .map(({ path }) => path)
    .filter((path) => !tried.has(path));
}

describe("a network is read with libvirt's defaults", () => {
  const IP = "<ip address='192.168.1.1'/>";
  test.each([
    ["", "<bridge stp='on' delay='0'/>"],
    ["<forward mode='none'/>", "<bridge stp='on' delay='0'/>"],
    [`<forward/>${IP}`, "<forward mode='nat'/>"],
    [
      `<forward dev='eth0'/>${IP}`,
      "<forward dev='eth0' mode='nat'>\n    <interface dev='eth0'/>\n  </forward>",
    ],
    [`<forward mode='nat'><nat/></forward>${IP}`, "<forward mode='nat'/>"],
    ["<forward mode='bridge'><interface dev='a'/></forward>", "<forward dev='a' mode='bridge'>"],
    ["<forward mode='hostdev'><pf dev='a'/></forward>", "<forward mode='hostdev' managed='no'>"],
    ["<vlan><tag id='1'/><tag id='2'/></vlan>", "<vlan trunk='yes'>"],
    ["<vlan trunk='no'><tag id='1'/></vlan>", "<vlan>"],
    ["<mac address='52:54:00:C7:53:6C'/>", "<mac address='52:54:00:c7:53:6c'/>"],
    [IP, "<ip address='192.168.1.1'>\n  </ip>"],
    ["<ip address='192.168.1.1' prefix='0'/>", "<ip address='192.168.1.1'>\n"],
    ["<ip family='ipv6' address='2001:DB8:0:0::1'/>", "address='2001:db8::1'"],
    [
      "<ip address='10.0.0.1'><dhcp><range start='10.0.0.2' end='10.0.0.3'><lease expiry='5'/></range></dhcp></ip>",
      "<lease expiry='5' unit='minutes'/>",
    ],
    ["<dns><srv service='a' protocol='tcp' target='b' priority='0' weight='0'/></dns>", "target='b'/>"],
  ])("%s", (content, part) => {
    expect(formatNetwork(parseNetwork(networkWith(content)))).toContain(part);
  });

  test.each([
    ["<network ipv6='no'><name>n</name></network>", "ipv6"],
    ["<network connections='3'><name>n</name></network>", "connections"],
    ["<network><name>n</name><dns/></network>", "dns"],
    ["<network><name>n</name><bandwidth/></network>", "bandwidth"],
    ["<network><name>n</name><forward mode='bridge'/><bridge delay='0'/></network>", "<bridge"],
    ["<network><name>n</name><portgroup name='a' default='no'/></network>", "default"],
  ])("%s is written without %p", (text, part) => {
    expect(formatNetwork(parseNetwork(bytesOf(text)))).not.toContain(part);
  });

  test("keeps the first metadata of each namespace", () => {
    const metadata = "<metadata><a:x xmlns:a='u'/><a:y xmlns:a='u'/></metadata>";
    expect(formatNetwork(parseNetwork(networkWith(metadata)))).toContain(
      "<metadata><a:x xmlns:a='u'/></metadata>",
    );
  });
});

// read_file() of dnsmasq: quotes hide commas and number signs, and a backslash in them hides a quote.
test.each(["v=spf1 -all", "a,b", '"a, #b"', '"a\\"b" c', "a#b"])("a <txt> of %s is read", (value) => {
  const { dns } = parseNetwork(
    networkWith(`<dns><txt name='a' value='${value.replaceAll('"', "&quot;")}'/></dns>`),
  );
  expect(dns?.txts).toEqual([{ name: "a", value }]);
});

describe("a network is refused by its place", () => {
  const V4 = "address='10.0.0.1' netmask='255.255.255.0'";
  const V6 = "family='ipv6' address='2001:db8::1' prefix='64'";
  const range = (start: string, end: string): string => `<dhcp><range start='${start}' end='${end}'/></dhcp>`;
  const boot = (file: string): string =>
    `<ip ${V4}><dhcp><range start='10.0.0.2' end='10.0.0.9'/><bootp file='${file}'/></dhcp></ip>`;
  test.each([
    ["<unknown/>", "/network/unknown"],
    ["<forward mode='x'/>", "/network/forward/@mode"],
    ["<forward mode='nat'/>", "/network/ip"],
    [`<forward mode='route'><nat/></forward><ip ${V4}/>`, "/network/forward/nat"],
    [`<forward mode='open' dev='eth0'/><ip ${V4}/>`, "/network/forward/@dev"],
    [`<forward dev='a'><interface dev='b'/></forward><ip ${V4}/>`, "/network/forward/@dev"],
    [
      `<forward><interface dev='a'/><interface dev='b'/></forward><ip ${V4}/>`,
      "/network/forward/interface[2]",
    ],
    [
      "<forward mode='vepa'><interface dev='a'/><interface dev='a'/></forward>",
      "/network/forward/interface[2]",
    ],
    ["<forward mode='hostdev' dev='a'><pf dev='b'/></forward>", "/network/forward/pf"],
    [`<forward><nat><port start='9' end='8'/></nat></forward><ip ${V4}/>`, "/network/forward/nat/port/@end"],
    [
      `<forward><nat><address start='1.1.1.2' end='1.1.1.1'/></nat></forward><ip ${V4}/>`,
      "/network/forward/nat/address/@end",
    ],
    ["<forward mode='bridge'/><bridge name='a' stp='on'/>", "/network/bridge/@stp"],
    ["<forward mode='bridge'/><bridge name='a' zone='b'/>", "/network/bridge/@zone"],
    ["<forward mode='private'/><bridge name='a'/>", "/network/bridge/@name"],
    ["<forward mode='bridge' dev='b'/><bridge name='a'/>", "/network/bridge/@name"],
    ["<forward mode='bridge'/><mtu size='1500'/>", "/network/mtu"],
    ["<ip address='2001:db8::1'/>", "/network/ip/@family"],
    ["<ip family='ipv6' address='10.0.0.1'/>", "/network/ip/@family"],
    ["<ip address='10.0.0.256'/>", "/network/ip/@address"],
    ["<ip address='10.0.0.1' prefix='33'/>", "/network/ip/@prefix"],
    ["<ip address='10.0.0.1' prefix='24' netmask='255.255.255.0'/>", "/network/ip/@prefix"],
    ["<ip address='10.0.0.1' netmask='255.0.255.0'/>", "/network/ip/@netmask"],
    ["<ip family='ipv6' address='2001:db8::1' netmask='255.255.255.0'/>", "/network/ip/@netmask"],
    [`<ip ${V6}><tftp root='/srv'/></ip>`, "/network/ip/tftp"],
    [`<ip ${V4}>${range("10.0.0.0", "10.0.0.9")}</ip>`, "/network/ip/dhcp/range"],
    [`<ip ${V4}>${range("10.0.0.2", "10.0.0.255")}</ip>`, "/network/ip/dhcp/range"],
    [`<ip ${V4}>${range("10.0.0.9", "10.0.0.2")}</ip>`, "/network/ip/dhcp/range"],
    [`<ip ${V4}>${range("10.0.1.2", "10.0.1.9")}</ip>`, "/network/ip/dhcp/range"],
    [`<ip address='10.0.0.1'>${range("10.0.0.2", "10.1.0.2")}</ip>`, "/network/ip/dhcp/range"],
    [`<ip ${V4}><tftp root='/srv,eth0'/></ip>`, "/network/ip/tftp/@root"],
    [`<ip ${V4}><tftp root='/srv/"a'/></ip>`, "/network/ip/tftp/@root"],
    [`<ip ${V4}><tftp root='/srv #a'/></ip>`, "/network/ip/tftp/@root"],
    [`<ip ${V4}><tftp root='/srv&#9;'/></ip>`, "/network/ip/tftp/@root"],
    [boot("a,b,10.0.0.9"), "/network/ip/dhcp/bootp/@file"],
    [boot("tag:a"), "/network/ip/dhcp/bootp/@file"],
    [boot("&quot;a"), "/network/ip/dhcp/bootp/@file"],
    [`<dns><txt name='a"b' value='c'/></dns>`, "/network/dns/txt/@name"],
    [`<dns><txt name='a' value='2" pipe'/></dns>`, "/network/dns/txt/@value"],
    [`<dns><txt name='a' value='"b\\"'/></dns>`, "/network/dns/txt/@value"],
    [`<dns><txt name='a' value='b #c'/></dns>`, "/network/dns/txt/@value"],
    [`<ip ${V4}><dhcp><host ip='10.0.0.2'/></dhcp></ip>`, "/network/ip/dhcp/host/@mac"],
    [`<ip ${V6}><dhcp><host ip='2001:db8::2'/></dhcp></ip>`, "/network/ip/dhcp/host/@id"],
    [
      `<ip ${V6}><dhcp><host mac='52:54:00:00:00:01' ip='2001:db8::2'/></dhcp></ip>`,
      "/network/ip/dhcp/host/@mac",
    ],
    [
      `<ip ${V4}><dhcp><host mac='01:00:5e:00:00:01' ip='10.0.0.2'/></dhcp></ip>`,
      "/network/ip/dhcp/host/@mac",
    ],
    [
      "<ip address='10.0.0.1'><dhcp><range start='10.0.0.2' end='10.0.0.3'><lease expiry='1'/></range></dhcp></ip>",
      "/network/ip/dhcp/range/lease/@expiry",
    ],
    [`<ip ${V4}/><route address='10.1.0.0' prefix='16' gateway='10.9.0.1'/>`, "/network/route/@gateway"],
    [`<ip ${V4}/><route address='10.1.0.1' prefix='16' gateway='10.0.0.2'/>`, "/network/route/@address"],
    [`<ip ${V4}/><route address='10.1.0.0' prefix='16' gateway='2001:db8::2'/>`, "/network/route/@gateway"],
    ["<dns enable='no'><host ip='10.0.0.1'><hostname>a</hostname></host></dns>", "/network/dns/host"],
    ["<dns><host ip='10.0.0.1'/></dns>", "/network/dns/host/hostname"],
    ["<dns><forwarder/></dns>", "/network/dns/forwarder/@addr"],
    ["<dns><srv service='a.b' protocol='tcp'/></dns>", "/network/dns/srv/@service"],
    ["<dns><srv service='a' protocol='tcp' port='1'/></dns>", "/network/dns/srv/@port"],
    ["<dns><txt name='a,b' value='c'/></dns>", "/network/dns/txt/@name"],
    ["<dns><txt name='a' value='c&#10;dhcp-script=/x'/></dns>", "/network/dns/txt/@value"],
    ["<domain name='a&#10;dhcp-script=/x'/>", "/network/domain/@name"],
    // Other fields of --dhcp-host. dnsmasq(8)
    ...[
      "set:known",
      "tag:known",
      "id:*",
      "a,ignore",
      "a&quot;b",
      "a#b",
      "a\\b",
      "ignore",
      "infinite",
      "10m",
      "3600",
      "10.0.0.9",
    ].map(
      (name) =>
        [
          `<ip ${V4}><dhcp><host name='${name}' ip='10.0.0.2'/></dhcp></ip>`,
          "/network/ip/dhcp/host/@name",
        ] as const,
    ),
    ["<virtualport/>", "/network/virtualport/@type"],
    [
      "<virtualport type='802.1Qbh'><parameters managerid='1'/></virtualport>",
      "/network/virtualport/parameters/@managerid",
    ],
    ["<bandwidth><inbound average='1' floor='1'/></bandwidth>", "/network/bandwidth/inbound/@floor"],
    ["<bandwidth classID='3'><inbound average='1'/></bandwidth>", "/network/bandwidth/@classID"],
    ["<vlan/>", "/network/vlan/tag"],
  ])("%s", (content, place) => {
    expect(refusedPlace(networkWith(content))).toBe(place);
  });

  test.each([
    ["<domain type='kvm'/>", "/domain"],
    ["<network><name>a/b</name></network>", "/network/name"],
    ["<network><uuid>81ff0d90-c91e-6742-64da-4a736edb9acb</uuid></network>", "/network/name"],
  ])("%s", (text, place) => {
    expect(refusedPlace(bytesOf(text))).toBe(place);
  });
});

function refusedPlace(bytes: Uint8Array): string | undefined {
  try {
    parseNetwork(bytes);
  } catch (thrown) {
    if (thrown instanceof SvirtError && thrown.exitCode === 2 && thrown.remedy !== "") return thrown.place;
    throw thrown;
  }
  return undefined;
}

import { describe, expect, test } from "bun:test";
import { parseNetworkText } from "../../src/network/document.ts";
import { formatServerFiles, serverPaths } from "../../src/network/server/configuration.ts";
import { parseLeases } from "../../src/network/server/leases.ts";

const PATHS = serverPaths("/f");
const BRIDGE = "<bridge name='virbr0'/>";
const network = (content: string) => parseNetworkText(`<network><name>default</name>${content}</network>`);

/** Returns the lines of a file but comments. */
function linesOf(content: string, path = PATHS.configuration): readonly string[] {
  const text = formatServerFiles(network(content), PATHS).get(path) ?? "";
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

const HEAD = ["strict-order", "pid-file=/f/pid", "except-interface=lo", "bind-dynamic", "interface=virbr0"];
const DHCP =
  "<ip address='192.168.122.1' netmask='255.255.255.0'><dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp></ip>";
const RANGE = "dhcp-range=192.168.122.2,192.168.122.254,255.255.255.0";
const SERVED = [
  RANGE,
  "dhcp-no-override",
  "dhcp-authoritative",
  "dhcp-lease-max=253",
  "dhcp-hostsfile=/f/hostsfile",
];

// Expectations: tests/networkxml2confdata of libvirt, whose cases are named, and
// networkDnsmasqConfContents().
describe("the configuration of a network's server", () => {
  test.each([
    ["nat-network", `<forward/>${BRIDGE}${DHCP}`, [...HEAD, ...SERVED, "addn-hosts=/f/addnhosts"]],
    [
      "isolated-network",
      `${BRIDGE}${DHCP}`,
      [...HEAD, "dhcp-option=3", "no-resolv", "ra-param=*,0,0", ...SERVED, "addn-hosts=/f/addnhosts"],
    ],
    [
      "dhcp6-nat-network",
      `<forward/>${BRIDGE}${DHCP}<ip family='ipv6' address='2001:db8:ac10:fd01::1' prefix='64'><dhcp><range start='2001:db8:ac10:fd01::1:10' end='2001:db8:ac10:fd01::1:ff'/></dhcp></ip>`,
      [
        ...HEAD,
        ...SERVED.slice(0, 3),
        "dhcp-range=2001:db8:ac10:fd01::1:10,2001:db8:ac10:fd01::1:ff,64",
        "dhcp-lease-max=493",
        "dhcp-hostsfile=/f/hostsfile",
        "addn-hosts=/f/addnhosts",
        "enable-ra",
      ],
    ],
    [
      "nat-network-dns-forwarders",
      `<forward/>${BRIDGE}<dns><forwarder addr='8.8.8.8'/><forwarder domain='example.com' addr='192.168.1.1'/><forwarder domain='www.example.com'/></dns><ip address='192.168.122.1' netmask='255.255.255.0'/>`,
      [
        "strict-order",
        "server=8.8.8.8",
        "server=/example.com/192.168.1.1",
        "server=/www.example.com/#",
        "no-resolv",
        ...HEAD.slice(1),
        "addn-hosts=/f/addnhosts",
      ],
    ],
    [
      "routed-network-no-dns",
      `<forward mode='route'/>${BRIDGE}<dns enable='no'/>${DHCP}`,
      ["strict-order", "port=0", ...HEAD.slice(1), ...SERVED],
    ],
    [
      "netboot-proxy-network",
      `<forward/>${BRIDGE}<domain name='example.com'/>${DHCP.replace("</dhcp>", "<bootp file='pxeboot.img' server='10.20.30.40'/></dhcp>")}`,
      [
        "strict-order",
        "domain=example.com",
        "expand-hosts",
        ...HEAD.slice(1),
        ...SERVED.slice(0, 3),
        "dhcp-boot=pxeboot.img,,10.20.30.40",
        ...SERVED.slice(3),
        "addn-hosts=/f/addnhosts",
      ],
    ],
    [
      "ptr-domains-auto",
      `<forward/>${BRIDGE}<ip address='192.168.122.1' netmask='255.255.255.0' localPtr='yes'/><ip family='ipv6' address='2001:db8:ca2:2::1' prefix='64' localPtr='yes'/>`,
      [
        "strict-order",
        "local=/122.168.192.in-addr.arpa/",
        "local=/2.0.0.0.2.a.c.0.8.b.d.0.1.0.0.2.ip6.arpa/",
        ...HEAD.slice(1),
        "addn-hosts=/f/addnhosts",
        "dhcp-range=2001:db8:ca2:2::1,ra-only",
      ],
    ],
  ])("is libvirt's: %s", (_name, content, lines) => {
    expect(linesOf(content)).toEqual(lines);
  });

  test("has libvirt's service records (nat-network-dns-srv-record)", () => {
    const srv = (attributes: string): string => `<srv ${attributes}/>`;
    const records = [
      srv("service='name' protocol='tcp' domain='d.com' target='t' port='1111' priority='11' weight='111'"),
      srv("service='name3' protocol='tcp' domain='d.com' target='t' port='3333' priority='33'"),
      srv("service='name4' protocol='tcp' domain='d.com' target='t' port='4444'"),
      srv("service='name5' protocol='udp' target='t' priority='55' weight='555'"),
      srv("service='name6' protocol='tcp' domain='d.com' target='t' port='6666' weight='666'"),
      srv("service='name7' protocol='tcp' domain='d.com' target='t' weight='777'"),
      srv("service='name8' protocol='tcp'"),
    ];
    const lines = linesOf(`${BRIDGE}<dns><txt name='a' value='b c'/>${records.join("")}</dns>`);
    expect(lines.filter((line) => /^(?:srv|txt)-/.test(line))).toEqual([
      "txt-record=a,b c",
      "srv-host=_name._tcp.d.com,t,1111,11,111",
      "srv-host=_name3._tcp.d.com,t,3333,33",
      "srv-host=_name4._tcp.d.com,t,4444",
      "srv-host=_name5._udp,t,1,55,555",
      "srv-host=_name6._tcp.d.com,t,6666,0,666",
      "srv-host=_name7._tcp.d.com,t,1,0,777",
      "srv-host=_name8._tcp",
    ]);
  });

  test("has times of leases and the MTU (leasetime-seconds, leasetime-infinite, nat-network-mtu)", () => {
    const with_ = (lease: string): readonly string[] =>
      linesOf(
        `<forward/>${BRIDGE}<mtu size='9000'/>${DHCP.replace("'/></dhcp>", `'>${lease}</range></dhcp>`)}`,
      );
    expect(with_("<lease expiry='122' unit='seconds'/>")).toContain(`${RANGE},122s`);
    expect(with_("<lease expiry='24' unit='hours'/>")).toContain(`${RANGE},24h`);
    expect(with_("<lease expiry='0'/>")).toContain(`${RANGE},infinite`);
    expect(with_("")).toContain("dhcp-option=option:mtu,9000");
  });
});

describe("the files of hosts", () => {
  // hostsfileAdd() in virdnsmasq.c; tests/networkxml2confdata/*.hostsfile of libvirt
  test("are libvirt's", () => {
    const hosts =
      "<host mac='00:16:3e:77:e2:ed' name='a.example.com' ip='192.168.122.10'><lease expiry='1' unit='hours'/></host>" +
      "<host mac='00:16:3e:3e:a9:1a' ip='192.168.122.11'/><host name='c' ip='192.168.122.12'/>";
    const hostsOfIpv6 =
      "<host id='0:4:7e' ip='2001:db8::20'/><host name='paul' ip='2001:db8::21'/><host id='0:3:0' name='peter.xyz' ip='2001:db8::22'/>";
    const content =
      `${BRIDGE}<ip address='192.168.122.1' netmask='255.255.255.0'><dhcp>${hosts}</dhcp></ip>` +
      `<ip family='ipv6' address='2001:db8::1' prefix='64'><dhcp>${hostsOfIpv6}</dhcp></ip>`;
    expect(linesOf(content, PATHS.dhcpHosts)).toEqual([
      "00:16:3e:77:e2:ed,192.168.122.10,a.example.com,1h",
      "00:16:3e:3e:a9:1a,192.168.122.11",
      "c,192.168.122.12",
      "id:0:4:7e,[2001:db8::20]",
      "paul,[2001:db8::21]",
      "id:0:3:0,peter.xyz,[2001:db8::22]",
    ]);
    expect(linesOf(content)).toContain("dhcp-range=192.168.122.1,static");
    expect(linesOf(content)).toContain("dhcp-range=2001:db8::1,static,64");
  });

  test("have the names of one address in one line", () => {
    const host = (ip: string, name: string): string => `<host ip='${ip}'><hostname>${name}</hostname></host>`;
    const content = `${BRIDGE}<dns>${host("10.0.0.1", "a")}${host("10.0.0.2", "b")}${host("10.0.0.1", "c")}</dns>`;
    expect(formatServerFiles(network(content), PATHS).get(PATHS.dnsHosts)).toBe(
      "10.0.0.1\ta\tc\t\n10.0.0.2\tb\t\n",
    );
  });
});

// lease_update_file() of dnsmasq's lease.c; the first lines are as dnsmasq 2.91 has written them.
test("parseLeases() reads dnsmasq's leases of both families, and omits expired and other lines", () => {
  const text =
    "1700000600 52:54:00:00:00:77 192.168.122.101 web 01:52:54:00:00:00:77\n" +
    "0 52:54:00:00:00:78 192.168.122.102 * *\n" +
    "1600000000 52:54:00:00:00:79 192.168.122.103 old *\n" +
    "duid 00:01:00:01:2d:e9\n" +
    "1700000700 7 2001:db8::20 paul 00:04:7e\nbroken\n" +
    "0 52:54:00:00:00:80 nowhere * *\n0 52:54:00:00:00:81 192.168.122.300 * *\n" +
    "9999999999999999 52:54:00:00:00:83 192.168.122.106 * *\n";
  const served = network(`${BRIDGE}${DHCP}<ip family='ipv6' address='2001:db8::1' prefix='64'/>`);
  expect(parseLeases(text, served, 1_700_000_000)).toEqual([
    {
      expiresAt: 1_700_000_600,
      mac: "52:54:00:00:00:77",
      protocol: "ipv4",
      address: "192.168.122.101",
      prefix: 24,
      hostname: "web",
      clientId: "01:52:54:00:00:00:77",
    },
    {
      expiresAt: 0,
      mac: "52:54:00:00:00:78",
      protocol: "ipv4",
      address: "192.168.122.102",
      prefix: 24,
      hostname: undefined,
      clientId: undefined,
    },
    {
      expiresAt: 1_700_000_700,
      mac: undefined,
      protocol: "ipv6",
      address: "2001:db8::20",
      prefix: 64,
      hostname: "paul",
      clientId: "00:04:7e",
    },
  ]);
});

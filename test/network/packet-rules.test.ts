import { describe, expect, test } from "bun:test";
import { formatPacketRules, formatRemoval } from "../../src/network/bridge/packet-rules.ts";
import { parseNetworkText } from "../../src/network/document.ts";

const UUID = "81ff0d90-c91e-6742-64da-4a736edb9acb";
const TABLE = "svirt_81ff0d90c91e674264da4a736edb9acb";
const BRIDGE = "<bridge name='virbr0'/>";
const IP = "<ip address='192.168.122.1' netmask='255.255.255.0'/>";
const IPV6 = "<ip family='ipv6' address='2001:db8:ca2:2::1' prefix='64'/>";

const rulesOf = (content: string): string | undefined =>
  formatPacketRules(parseNetworkText(`<network><name>n</name>${content}</network>`), UUID);

/** Returns the rules of a chain. */
function chainIn(content: string, layer: "ip" | "ip6", chain: string): readonly string[] {
  const [, table = ""] =
    new RegExp(`\\ntable ${layer} ${TABLE} \\{\\n([\\s\\S]*?)\\n\\}`).exec(rulesOf(content) ?? "") ?? [];
  const [, body = ""] = new RegExp(`chain ${chain} \\{\\n([\\s\\S]*?)\\n {2}\\}`).exec(table) ?? [];
  return body
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

const FILTER = "type filter hook forward priority 0; policy accept;";
const NAT = "type nat hook postrouting priority 100; policy accept;";
const WITHIN = 'iifname "virbr0" oifname "virbr0" counter accept';
const NO_OTHER_IN = 'oifname "virbr0" counter reject';
const NO_OTHER_OUT = 'iifname "virbr0" counter reject';

// Expectations: tests/networkxml2firewalldata/*-linux.nftables of libvirt. libvirt inserts each rule at the
// head of its chain, and has the chains guest_cross, guest_input and guest_output in this order. It writes
// iif and oif, the index of the bridge, and svirt its name.
describe("formatPacketRules()", () => {
  test("of mode nat translates addresses, and lets answers in (nat-default-linux)", () => {
    const content = `<forward/>${BRIDGE}${IP}`;
    expect(chainIn(content, "ip", "forward")).toEqual([
      FILTER,
      WITHIN,
      'oifname "virbr0" ip daddr 192.168.122.0/24 ct state related,established counter accept',
      NO_OTHER_IN,
      'ip saddr 192.168.122.0/24 iifname "virbr0" counter accept',
      NO_OTHER_OUT,
    ]);
    const outside = "ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24";
    expect(chainIn(content, "ip", "guest_nat")).toEqual([
      NAT,
      "ip saddr 192.168.122.0/24 ip daddr 224.0.0.0/24 counter return",
      "ip saddr 192.168.122.0/24 ip daddr 255.255.255.255/32 counter return",
      `meta l4proto tcp ${outside} counter masquerade to :1024-65535`,
      `meta l4proto udp ${outside} counter masquerade to :1024-65535`,
      `${outside} counter masquerade`,
    ]);
    expect(rulesOf(content)).not.toContain("table ip6 svirt_81ff0d90c91e674264da4a736edb9acb {");
  });

  test("of mode nat translates IPv6 as well, to the given ports (nat-port-range-ipv6-linux)", () => {
    const content = `<forward mode='nat'><nat ipv6='yes'><port start='500' end='1000'/></nat></forward>${BRIDGE}${IP}${IPV6}`;
    const outside = "ip6 saddr 2001:db8:ca2:2::/64 ip6 daddr != 2001:db8:ca2:2::/64";
    expect(chainIn(content, "ip6", "guest_nat")).toEqual([
      NAT,
      "ip6 saddr 2001:db8:ca2:2::/64 ip6 daddr ff02::/16 counter return",
      `meta l4proto tcp ${outside} counter masquerade to :500-1000`,
      `meta l4proto udp ${outside} counter masquerade to :500-1000`,
      `${outside} counter masquerade`,
    ]);
    expect(chainIn(content, "ip", "guest_nat")).toContain(
      "meta l4proto tcp ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 counter masquerade to :500-1000",
    );
  });

  test("of mode nat routes IPv6 otherwise (nat-ipv6-linux)", () => {
    const content = `<forward mode='nat'/>${BRIDGE}${IP}${IPV6}`;
    expect(chainIn(content, "ip6", "guest_nat")).toEqual([]);
    expect(chainIn(content, "ip6", "forward")).toEqual([
      FILTER,
      WITHIN,
      'oifname "virbr0" ip6 daddr 2001:db8:ca2:2::/64 counter accept',
      NO_OTHER_IN,
      'ip6 saddr 2001:db8:ca2:2::/64 iifname "virbr0" counter accept',
      NO_OTHER_OUT,
    ]);
  });

  test("limits forwarding to the device of the network (forward-dev-linux)", () => {
    const content = `<forward dev='enp0s7' mode='nat'/>${BRIDGE}${IP}`;
    expect(chainIn(content, "ip", "forward")).toEqual([
      FILTER,
      WITHIN,
      'iifname "enp0s7" oifname "virbr0" ip daddr 192.168.122.0/24 ct state related,established counter accept',
      NO_OTHER_IN,
      'ip saddr 192.168.122.0/24 iifname "virbr0" oifname "enp0s7" counter accept',
      NO_OTHER_OUT,
    ]);
    expect(chainIn(content, "ip", "guest_nat").slice(1)).toEqual([
      'oifname "enp0s7" ip saddr 192.168.122.0/24 ip daddr 224.0.0.0/24 counter return',
      'oifname "enp0s7" ip saddr 192.168.122.0/24 ip daddr 255.255.255.255/32 counter return',
      'meta l4proto tcp ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 oifname "enp0s7" counter masquerade to :1024-65535',
      'meta l4proto udp ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 oifname "enp0s7" counter masquerade to :1024-65535',
      'ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 oifname "enp0s7" counter masquerade',
    ]);
  });

  test("of mode route lets packets to the guests in (route-default-linux)", () => {
    const content = `<forward mode='route'/>${BRIDGE}${IP}`;
    expect(chainIn(content, "ip", "guest_nat")).toEqual([]);
    expect(chainIn(content, "ip", "forward")).toContain(
      'oifname "virbr0" ip daddr 192.168.122.0/24 counter accept',
    );
  });

  test.each([
    ["<address start='192.0.2.3' end='192.0.2.9'/>", "snat to 192.0.2.3-192.0.2.9:1024-65535"],
    ["<address start='192.0.2.3' end='192.0.2.3'/>", "snat to 192.0.2.3:1024-65535"],
    ["<port start='5' end='5'/>", "masquerade to :5"],
  ])("translates to the addresses and ports of <nat>: %s", (range, action) => {
    const content = `<forward mode='nat'><nat>${range}</nat></forward>${BRIDGE}${IP}`;
    expect(chainIn(content, "ip", "guest_nat").find((rule) => rule.includes("l4proto tcp"))).toEndWith(
      `counter ${action}`,
    );
  });

  test("of an isolated network drops packets from and to other networks, of IPv4 and IPv6", () => {
    for (const content of [`${BRIDGE}${IP}`, `<forward mode='none'/>${BRIDGE}`]) {
      for (const layer of ["ip", "ip6"] as const) {
        expect(chainIn(content, layer, "forward")).toEqual([
          FILTER,
          WITHIN,
          'oifname "virbr0" counter drop',
          'iifname "virbr0" counter drop',
        ]);
      }
      expect(rulesOf(content)).toStartWith(formatRemoval(UUID));
    }
  });

  test.each([`<forward mode='open'/>${IP}`, "<forward mode='bridge'/><bridge name='br0'/>"])(
    "has no rules for other modes: %s",
    (content) => {
      expect(rulesOf(content)).toBeUndefined();
    },
  );

  test("replaces the network's tables, whether or not they are there", () => {
    expect(rulesOf(`<forward mode='route'/>${BRIDGE}${IP}`)).toStartWith(formatRemoval(UUID));
    expect(formatRemoval(UUID)).toBe(
      `add table ip ${TABLE}\ndelete table ip ${TABLE}\nadd table ip6 ${TABLE}\ndelete table ip6 ${TABLE}\n`,
    );
  });
});

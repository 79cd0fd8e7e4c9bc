import { describe, expect, test } from "bun:test";
import { FILTERS } from "../../src/network/filter/filters.ts";
import { collectBuiltIn, listVariables } from "../../src/network/filter/instance.ts";
import { filterTable, formatTapRules } from "../../src/network/filter/tap-rules.ts";
import { readVariables } from "../../src/network/filter/variables.ts";

const AT = { mac: "52:54:00:00:00:0a", place: "/domain/devices/interface[1]/filterref" };
const read = (filter: string, ...parameters: readonly (readonly [string, string])[]): unknown =>
  readVariables({ filter, parameters: parameters.map(([name, value]) => ({ name, value })) }, AT);

describe("libvirt's filters", () => {
  // The package libvirt-daemon-config-nwfilter of libvirt 11.3
  test("are those that libvirt installs", () => {
    expect([...FILTERS.keys()].toSorted().join(" ")).toBe(
      "allow-arp allow-dhcp allow-dhcp-server allow-dhcpv6 allow-dhcpv6-server allow-incoming-ipv4 allow-incoming-ipv6 " +
        "allow-ipv4 allow-ipv6 clean-traffic clean-traffic-gateway no-arp-ip-spoofing no-arp-mac-spoofing no-arp-spoofing " +
        "no-ip-multicast no-ip-spoofing no-ipv6-multicast no-ipv6-spoofing no-mac-broadcast no-mac-spoofing " +
        "no-other-l2-traffic no-other-rarp-traffic qemu-announce-self qemu-announce-self-rarp",
    );
  });

  test("include filters that exist", () => {
    for (const { entries } of FILTERS.values()) {
      for (const entry of entries) if (typeof entry === "string") expect(FILTERS.has(entry)).toBe(true);
    }
  });

  test("of clean-traffic are in libvirt's order: MAC, IP, ARP, announcements, the rest", () => {
    expect(
      collectBuiltIn("clean-traffic").rules.map(({ chain, chainPriority }) => `${chain} ${chainPriority}`),
    ).toEqual([
      "mac -800",
      "mac -800",
      "ipv4-ip -710",
      "ipv4-ip -710",
      "ipv4-ip -710",
      "root 0",
      "ipv4 -700",
      "arp-mac -520",
      "arp-mac -520",
      "arp-ip -510",
      "arp-ip -510",
      "root 0",
      "root 0",
      "root 0",
      "rarp -400",
      "rarp -400",
      "rarp -400",
    ]);
  });
});

describe("readVariables()", () => {
  test("gives MAC the interface's address, and IP each value in its canonical form", () => {
    expect(read("clean-traffic", ["IP", "10.0.0.1"], ["IP", "10.0.0.2"], ["OTHER", "x"])).toEqual([
      { name: "MAC", values: ["52:54:00:00:00:0a"] },
      { name: "IP", values: ["10.0.0.1", "10.0.0.2"] },
    ]);
  });

  test("lets a parameter replace the interface's MAC address, as libvirt does", () => {
    expect(read("no-mac-spoofing", ["MAC", "52:54:00:00:00:AB"])).toEqual([
      { name: "MAC", values: ["52:54:00:00:00:ab"] },
    ]);
  });

  // nwfilter_gentech_driver.c of libvirt
  test.each([
    ["no-such", [], "Network filter not found: Could not find filter 'no-such'"],
    ["constructor", [], "Network filter not found: Could not find filter 'constructor'"],
    ["clean-traffic", [], "Cannot learn the IP address of the guest for filter 'clean-traffic'"],
    ["clean-traffic", [["CTRL_IP_LEARNING", "dhcp"]], "Cannot learn the IP address"],
    [
      "clean-traffic",
      [["CTRL_IP_LEARNING", "none"]],
      "internal error: Cannot instantiate filter due to unresolvable variables or unavailable list elements: IP",
    ],
    ["clean-traffic-gateway", [], "unresolvable variables or unavailable list elements: IP, GATEWAY_MAC"],
    ["allow-dhcp-server", [], "unresolvable variables or unavailable list elements: DHCPSERVER"],
    ["clean-traffic", [["IP", "fd00::1"]], "IP 'fd00::1' is no IPv4 address"],
    ["clean-traffic", [["IP", "10.0.0.1, 10.0.0.2"]], "is no IPv4 address"],
    ["no-ipv6-spoofing", [["IPV6", "10.0.0.1"]], "IPV6 '10.0.0.1' is no IPv6 address"],
    ["no-mac-spoofing", [["MAC", "10.0.0.1"]], "MAC '10.0.0.1' is no MAC address"],
  ] as const)("refuses %s with %p: %s", (filter, parameters, message) => {
    expect(() => read(filter, ...parameters)).toThrow(message);
  });
});

describe("formatTapRules()", () => {
  const table = filterTable("81ff0d90-c91e-6742-64da-4a736edb9acb", "vnet0");

  test("replaces the whole table in one script, which belongs to the guest and the tap", () => {
    const variables = [{ name: "MAC", values: ["52:54:00:00:00:0a"] }];
    expect(formatTapRules({ table, tap: "vnet0", filter: "no-mac-spoofing", variables })).toBe(
      `add table netdev svirt_81ff0d90c91e674264da4a736edb9acb_vnet0
delete table netdev svirt_81ff0d90c91e674264da4a736edb9acb_vnet0
table netdev svirt_81ff0d90c91e674264da4a736edb9acb_vnet0 {
  chain out {
    type filter hook ingress device "vnet0" priority 0; policy accept;
    udp dport 67 jump out-dhcp
    jump out-mac
  }
  chain out-mac {
    @ll,48,48 0x52540000000a return
    counter drop
  }
  chain out-dhcp {
    @th,72,16 0x0106 @th,288,48 0x52540000000a return
    counter drop
  }
}
`,
    );
  });

  test("drops all other frames last in both directions of clean-traffic", () => {
    const variables = [
      { name: "MAC", values: ["52:54:00:00:00:0a"] },
      { name: "IP", values: ["10.0.0.1"] },
    ];
    const script = formatTapRules({ table, tap: "vnet0", filter: "clean-traffic", variables });
    const chains = [...script.matchAll(/chain (?:out|in) \{\n(?<rules>[^}]*)\}/g)];
    const last = chains.map(({ groups }) => groups?.["rules"]?.trim().split("\n").at(-1)?.trim());
    expect(last).toEqual(["counter drop", "counter drop"]);
  });

  // nft_limit_init() of Linux: nanoseconds times the bytes of a bucket have 64 bits.
  test.each([
    [1000, 1024, "1000 bytes/second burst 24 bytes"],
    [1000, 4_294_967_295, "1000 bytes/second burst 4294966295 bytes"],
    [4_294_967_295_000, 4_294_967_295, "14151776778 bytes/second burst 0 bytes"],
    [Number.MAX_SAFE_INTEGER, 1024, "14151776778 bytes/second burst 0 bytes"],
  ])("limits %p bytes per second with a burst of %p to what the kernel accepts: %s", (rate, burst, text) => {
    const limit = { bytesPerSecond: rate, burstBytes: burst };
    expect(formatTapRules({ table, tap: "vnet0", limit })).toContain(`limit rate over ${text} counter drop`);
  });

  // RFC 2131, figure 1: htype and hlen are the second and third byte of a message, chaddr begins with the
  // 29th.
  test.each([
    ["no-mac-spoofing", ["udp dport 67 jump out-dhcp"]],
    ["qemu-announce-self", ["@ll,96,16 0x0835 counter drop"]],
    [
      "clean-traffic",
      ["@ll,96,16 0x0835 counter drop", "udp dport 68 counter drop", "udp dport 67 jump out-dhcp"],
    ],
    ["no-ip-spoofing", []],
  ])("precedes the rules of %s by svirt's own: %p", (filter, expected) => {
    const variables = [
      { name: "MAC", values: ["52:54:00:00:00:0a", "52:54:00:00:00:0b"] },
      { name: "IP", values: ["10.0.0.1"] },
    ];
    const script = formatTapRules({ table, tap: "vnet0", filter, variables });
    const [, rules = ""] = /chain out \{\n.*\n([^}]*)\}/.exec(script) ?? [];
    const first = rules.split("\n").map((line) => line.trim());
    expect(first.slice(0, expected.length)).toEqual(expected);
    expect(first.slice(expected.length).join()).not.toMatch(/dport 6[78]|0x0835 counter/);
    if (expected.some((rule) => rule.includes("out-dhcp")))
      expect(script).toContain("@th,72,16 0x0106 @th,288,48 { 0x52540000000a, 0x52540000000b } return");
  });

  test("leaves no variable without a value in any filter", () => {
    for (const filter of FILTERS.keys()) {
      const variables = [...listVariables(collectBuiltIn(filter).rules).keys()].map((name) => ({
        name,
        values: ["VALUE"],
      }));
      const script = formatTapRules({ table, tap: "vnet0", filter, variables });
      expect(script).not.toContain("$");
      expect(script).not.toContain("undefined");
    }
  });
});

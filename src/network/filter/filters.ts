import type { Filter, FilterRule } from "./filter-rule.ts";

const BROADCAST = "ff:ff:ff:ff:ff:ff";
const accept = (direction: FilterRule["direction"]): FilterRule => ({ direction, action: "accept" });
const dropOthers = (direction: FilterRule["direction"], priority = 1000): FilterRule => ({
  direction,
  action: "drop",
  priority,
});

const DHCP_REQUEST: FilterRule = {
  direction: "out",
  action: "accept",
  priority: 100,
  match: [
    ["protocol", "ipv4"],
    ["source IPv4", "0.0.0.0"],
    ["destination IPv4", "255.255.255.255"],
    ["source UDP port", "68"],
    ["destination UDP port", "67"],
  ],
};
const DHCPV6_REQUEST: FilterRule = {
  direction: "out",
  action: "accept",
  priority: 100,
  match: [
    ["protocol", "ipv6"],
    ["source IPv6", "fe80::/10"],
    ["destination IPv6", "ff02::1:2"],
    ["source UDP port", "546"],
    ["destination UDP port", "547"],
  ],
};

/** Returns the rule for answers of DHCP servers: of the servers in `$DHCPSERVER`, or of all. */
function dhcpAnswer(protocol: "ipv4" | "ipv6", isOfServer: boolean): FilterRule {
  const [address, from, to] =
    protocol === "ipv4" ? (["source IPv4", "67", "68"] as const) : (["source IPv6", "547", "546"] as const);
  return {
    direction: "in",
    action: "accept",
    priority: 100,
    match: [
      ["protocol", protocol],
      ...(isOfServer ? ([[address, "$DHCPSERVER"]] as const) : []),
      ["source UDP port", from],
      ["destination UDP port", to],
    ],
  };
}

/** Returns the rules of a chain passed only by frames with the guest's own addresses, compared by `match`. */
function onlyOwn(priority: number, match: FilterRule["match"] = []): readonly FilterRule[] {
  return [{ direction: "out", action: "return", priority, match }, dropOthers("out")];
}

/**
 * Filters that libvirt installs, with the meaning of its files src/nwfilter/xml/NAME.xml.
 * https://libvirt.org/firewall.html
 */
export const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ["allow-arp", { chain: "arp", entries: [accept("inout")] }],
  ["allow-dhcp", { chain: "ipv4", entries: [DHCP_REQUEST, dhcpAnswer("ipv4", false)] }],
  ["allow-dhcp-server", { chain: "ipv4", entries: [DHCP_REQUEST, dhcpAnswer("ipv4", true)] }],
  ["allow-dhcpv6", { chain: "ipv6", entries: [DHCPV6_REQUEST, dhcpAnswer("ipv6", false)] }],
  ["allow-dhcpv6-server", { chain: "ipv6", entries: [DHCPV6_REQUEST, dhcpAnswer("ipv6", true)] }],
  ["allow-incoming-ipv4", { chain: "ipv4", entries: [accept("in")] }],
  ["allow-incoming-ipv6", { chain: "ipv6", entries: [accept("in")] }],
  ["allow-ipv4", { chain: "ipv4", entries: [accept("inout")] }],
  ["allow-ipv6", { chain: "ipv6", entries: [accept("inout")] }],
  [
    "clean-traffic",
    {
      entries: [
        "no-mac-spoofing",
        "no-ip-spoofing",
        { direction: "out", action: "accept", priority: -650, match: [["protocol", "ipv4"]] },
        "allow-incoming-ipv4",
        "no-arp-spoofing",
        { direction: "inout", action: "accept", priority: -500, match: [["protocol", "arp"]] },
        "no-other-l2-traffic",
        "qemu-announce-self",
      ],
    },
  ],
  [
    "clean-traffic-gateway",
    {
      entries: [
        "no-mac-spoofing",
        "no-ip-spoofing",
        "no-arp-spoofing",
        { direction: "inout", action: "accept", priority: -500, match: [["protocol", "arp"]] },
        { direction: "in", action: "accept", match: [["source MAC", "$GATEWAY_MAC"]] },
        { direction: "out", action: "accept", match: [["destination MAC", "$GATEWAY_MAC"]] },
        "no-other-l2-traffic",
        "qemu-announce-self",
      ],
    },
  ],
  [
    "no-arp-ip-spoofing",
    {
      chain: "arp-ip",
      priority: -510,
      entries: onlyOwn(400, [
        ["protocol", "arp"],
        ["ARP source IPv4", "$IP"],
      ]),
    },
  ],
  [
    "no-arp-mac-spoofing",
    {
      chain: "arp-mac",
      priority: -520,
      entries: onlyOwn(350, [
        ["protocol", "arp"],
        ["ARP source MAC", "$MAC"],
      ]),
    },
  ],
  ["no-arp-spoofing", { entries: ["no-arp-mac-spoofing", "no-arp-ip-spoofing"] }],
  [
    "no-ip-multicast",
    {
      chain: "ipv4",
      entries: [
        {
          direction: "out",
          action: "drop",
          match: [
            ["protocol", "ipv4"],
            ["destination IPv4", "224.0.0.0/4"],
          ],
        },
      ],
    },
  ],
  [
    "no-ip-spoofing",
    {
      chain: "ipv4-ip",
      priority: -710,
      entries: [
        {
          direction: "out",
          action: "return",
          priority: 100,
          match: [
            ["protocol", "ipv4"],
            ["source IPv4", "0.0.0.0"],
            ["IPv4 protocol", "udp"],
          ],
        },
        ...onlyOwn(500, [
          ["protocol", "ipv4"],
          ["source IPv4", "$IP"],
        ]),
      ],
    },
  ],
  [
    "no-ipv6-multicast",
    {
      chain: "ipv6",
      entries: [
        {
          direction: "out",
          action: "drop",
          match: [
            ["protocol", "ipv6"],
            ["destination IPv6", "ff00::/8"],
          ],
        },
      ],
    },
  ],
  [
    "no-ipv6-spoofing",
    {
      chain: "ipv6-ip",
      priority: -610,
      entries: [
        {
          direction: "out",
          action: "return",
          priority: 100,
          match: [
            ["protocol", "ipv6"],
            ["source IPv6", "fe80::/10"],
            ["IPv6 protocol", "udp"],
          ],
        },
        ...onlyOwn(500, [
          ["protocol", "ipv6"],
          ["source IPv6", "$IPV6"],
        ]),
      ],
    },
  ],
  [
    "no-mac-broadcast",
    {
      chain: "ipv4",
      entries: [{ direction: "out", action: "drop", match: [["destination MAC", BROADCAST]] }],
    },
  ],
  [
    "no-mac-spoofing",
    {
      chain: "mac",
      priority: -800,
      entries: [
        { direction: "out", action: "return", match: [["source MAC", "$MAC"]] },
        { direction: "out", action: "drop" },
      ],
    },
  ],
  ["no-other-l2-traffic", { entries: [dropOthers("inout")] }],
  ["no-other-rarp-traffic", { chain: "rarp", entries: [dropOthers("inout")] }],
  [
    "qemu-announce-self",
    {
      entries: [
        // libvirt accepts what a QEMU of 2010 sent in place of 0x8035, RARP. svirt's own rules drop it
        // before: guardsOf().
        { direction: "out", action: "accept", match: [["protocol", "0x0835"]] },
        "qemu-announce-self-rarp",
        "no-other-rarp-traffic",
      ],
    },
  ],
  [
    "qemu-announce-self-rarp",
    {
      chain: "rarp",
      entries: [
        {
          direction: "out",
          action: "accept",
          match: [
            ["protocol", "rarp"],
            ["source MAC", "$MAC"],
            ["destination MAC", BROADCAST],
            ["RARP announcement", "$MAC"],
          ],
        },
        {
          direction: "in",
          action: "accept",
          match: [
            ["protocol", "rarp"],
            ["destination MAC", BROADCAST],
            ["RARP announcement", "$MAC"],
          ],
        },
      ],
    },
  ],
]);

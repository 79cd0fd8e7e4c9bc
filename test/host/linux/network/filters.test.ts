import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { inOwnNetwork } from "./in-own-network.ts";

const isReady =
  process.getuid?.() === 0 &&
  existsSync("/dev/net/tun") &&
  existsSync("/usr/sbin/nft") &&
  Bun.spawnSync(["unshare", "-n", "ip", "link", "add", "br0", "type", "bridge"]).success;
const ASIDE = isReady ? "" : " (skipped: needs root, /dev/net/tun, ip, nft and bridges)";

const SENT = [
  "IPv4",
  "IPv4 from the second address",
  "IPv4 of another",
  "IPv4 to all",
  "IPv4 multicast",
  "IPv4 by another MAC",
  "DHCP request",
  "DHCP request of another",
  "DHCP request with a longer address",
  "DHCP request of another network",
  "DHCP request in fragments",
  "DHCP offer",
  "obsolete announcement",
  "ARP",
  "ARP for another IP",
  "ARP for another MAC",
  "ARP of other lengths",
  "ARP of IEEE 802 for another IP",
  "IPv6",
  "tagged IPv4 of another",
  "tagged ARP for another IP",
  "announcement",
  "announcement of another",
  "another protocol",
];
const RECEIVED = ["IPv4", "IPv4 of the gateway", "ARP", "IPv6", "tagged IPv4", "another protocol"];
const both = (notSent: readonly string[], notReceived: readonly string[]): object => ({
  sent: SENT.filter((name) => !notSent.includes(name)),
  received: RECEIVED.filter((name) => !notReceived.includes(name)),
});
/** Requests that a server would not find to be of the guest. */
const FOREIGN_REQUESTS = SENT.filter((name) => /^DHCP request /.test(name));
const REQUESTS = ["DHCP request", ...FOREIGN_REQUESTS];
const without = (...names: readonly string[]): object => both(names, []);

test.skipIf(!isReady)(
  `the filters of libvirt stop on a real bridge what they are named for, and pass the rest${ASIDE}`,
  async () => {
    const { errors, facts } = await inOwnNetwork("filter-in-network.ts");
    expect(errors).toBe("");
    // https://libvirt.org/formatnwfilter.html#pre-existing-network-filters, src/nwfilter/xml of libvirt
    expect(facts).toEqual({
      neighbours: ["10.8.0.1"],
      filters: {
        "clean-traffic": {
          sent: [
            "IPv4",
            "IPv4 from the second address",
            "IPv4 to all",
            "IPv4 multicast",
            "DHCP request",
            "ARP",
            "announcement",
          ],
          received: ["IPv4", "IPv4 of the gateway", "ARP"],
        },
        "clean-traffic-gateway": {
          sent: ["ARP", "announcement"],
          received: ["IPv4 of the gateway", "ARP"],
        },
        "no-mac-spoofing": without("IPv4 by another MAC", ...FOREIGN_REQUESTS),
        "no-ip-spoofing": without("IPv4 of another"),
        "no-arp-spoofing": without(
          ...["ARP for another IP", "ARP for another MAC", "ARP of other lengths"],
          "ARP of IEEE 802 for another IP",
        ),
        "no-ip-multicast": without("IPv4 multicast"),
        "no-mac-broadcast": without("IPv4 to all", ...REQUESTS),
        "no-other-l2-traffic": { sent: [], received: [] },
        "qemu-announce-self": without("announcement of another", "obsolete announcement"),
        "allow-ipv6": without(),
        // What each drops is read from its XML alone. https://libvirt.org/formatnwfilter.html
        "<mac match='no' srcmacaddr='$MAC'/>": without("IPv4 by another MAC"),
        "<mac dstmacaddr='01:00:00:00:00:00' dstmacmask='01:00:00:00:00:00'/>": without(
          ...["IPv4 to all", "IPv4 multicast", ...REQUESTS, "announcement", "announcement of another"],
        ),
        "<mac protocolid='0x88b5'/>": without("another protocol"),
        // Linux learns addresses from such a frame as from others. arp_process() of Linux
        "<arp match='no' arpsrcipaddr='$ONE'/>": without(
          "ARP for another IP",
          "ARP of IEEE 802 for another IP",
        ),
        "<arp match='no' arpsrcmacaddr='$MAC'/>": without("ARP for another MAC"),
        "<arp opcode='Request' arpdstipaddr='10.8.0.77' arpdstipmask='24' hwtype='1' protocoltype='0x800'/>":
          without(...["ARP", "ARP for another IP", "ARP for another MAC"]),
        "<rarp opcode='Request_Reverse' arpdstmacaddr='$MAC'/>": without("announcement"),
        "<ip match='no' srcipaddr='$ONE' srcipmask='29'/>": without("IPv4 of another", ...REQUESTS),
        "<ip protocol='udp' srcportstart='60' srcportend='68' dstportstart='67' dscp='0'/>": without(
          ...REQUESTS,
        ),
        "<ip match='no' protocol='udp'/>": without(),
        "<ipv6 srcipaddr='fe80::' srcipmask='10' dstipaddr='ff02::1'/>": without("IPv6"),
        "<ipv6 protocol='udp' dstportstart='1' dstportend='65535'/>": without(),
        // Of both directions: in frames from the guest, the other end. ebiptablesCreateRuleInstance() of
        // libvirt
        "<mac srcmacaddr='52:54:00:00:00:aa'/>": both([], ["IPv4 of the gateway"]),
        "<mac dstmacaddr='$MAC'/>": both(
          SENT.filter((name) => name !== "IPv4 by another MAC"),
          RECEIVED,
        ),
        "<arp arpsrcipaddr='10.8.0.2'/>": both(
          ["ARP", "ARP for another IP", "ARP for another MAC", "ARP of IEEE 802 for another IP"],
          ["ARP"],
        ),
        "<ip srcipaddr='10.8.0.2'/>": both(
          ["IPv4", "IPv4 from the second address", "IPv4 of another", "IPv4 by another MAC", "DHCP offer"],
          ["IPv4", "IPv4 of the gateway"],
        ),
        "<ip protocol='udp' srcportstart='67'/>": both(REQUESTS, []),
        "<ipv6 dstipaddr='fe80::1'/>": both(["IPv6"], []),
      },
      without: true,
      table: "table netdev svirt_81ff0d90c91e674264da4a736edb9acb_vnet0",
      left: "",
    });
  },
  120_000,
);

test.skipIf(!isReady)(
  `a frame's header has the kernel forge an address behind a filter, and a tap without headers takes none${ASIDE}`,
  async () => {
    const { errors, facts } = await inOwnNetwork("header-in-network.ts");
    expect(errors).toBe("");
    // skb_checksum_help() of Linux. The same bytes are no frame of the attacker's on a tap without headers.
    expect(facts).toEqual({
      header: ["10.8.0.9"],
      "header, alone": [],
      none: [],
      "none, alone": ["10.8.0.1"],
    });
  },
  60_000,
);

const canLimit = isReady && existsSync("/usr/sbin/tc");

test.skipIf(!canLimit)(
  `limits of a real tap are those of libvirt's commands for tc, and frames beyond them are lost${canLimit ? "" : " (skipped: needs root, /dev/net/tun, ip, tc, nft and bridges)"}`,
  async () => {
    const { errors, facts } = await inOwnNetwork("limit-in-network.ts");
    expect(errors).toBe("");
    const { again, free, left, limited, shown } = facts as Record<
      "again" | "free" | "limited",
      readonly number[]
    > &
      Record<"left" | "shown", readonly unknown[]>;
    expect(left).toEqual([]);
    expect(shown).toHaveLength(3);
    for (const pair of shown) {
      const [own, model] = pair as readonly (readonly string[])[];
      expect(model).toHaveLength(2);
      expect(own).toEqual(model ?? []);
    }
    // 100,000 bytes per second, after as many at once from the guest and one frame to it.
    expect(Math.min(...free, ...again)).toBeGreaterThan(500_000);
    expect(Math.max(...limited)).toBeLessThan(250_000);
    expect(Math.min(...limited)).toBeGreaterThan(50_000);
  },
  60_000,
);

test.skipIf(!canLimit)(
  `limits and shares of a network's real bridge are those of libvirt's commands for tc, and a guest gets its share${canLimit ? "" : " (skipped: needs root, /dev/net/tun, ip, tc, nft and bridges)"}`,
  async () => {
    const { errors, facts } = await inOwnNetwork("share-in-network.ts");
    expect(errors).toBe("");
    const { counts, lost, refused, ...shown } = facts as {
      readonly counts: readonly [number, number];
      readonly lost: number;
      readonly refused: string;
    } & Record<"limited" | "shared" | "changed" | "ended", readonly [readonly string[], readonly string[]]>;
    for (const [ours, theirs] of Object.values(shown)) {
      expect(ours.length).toBeGreaterThan(0);
      expect(ours).toEqual(theirs);
    }
    // Of 5,000,000 bytes per second 4,000,000 are the first guest's, while both could take all.
    expect(counts[0]).toBeGreaterThan(2.5 * counts[1]);
    expect(counts[0] + counts[1]).toBeLessThan(7_000_000);
    // Ten are as many as in a second.
    expect(lost).toBeWithin(80, 92);
    expect(refused).toBe("Cannot guarantee a share of the bridge gone: No such file or directory (errno 2)");
  },
  30_000,
);

test.skipIf(!canLimit)(
  `the list of nft shows the rules of every filter, limit and network as svirt compares them${canLimit ? "" : " (skipped: needs root, /dev/net/tun, ip, tc, nft and bridges)"}`,
  async () => {
    const { errors, facts } = await inOwnNetwork("listed-in-network.ts");
    expect(errors).toBe("");
    const { set } = facts as { readonly set: number };
    expect(set).toBeGreaterThan(20);
    expect(facts).toEqual({ before: [], hasElements: false, set, after: set });
  },
  30_000,
);

test.skipIf(!canLimit)(
  `shares that several processes set and remove at once are those that are left, and a network that ends is no error${canLimit ? "" : " (skipped: needs root, /dev/net/tun, ip, tc, nft and bridges)"}`,
  async () => {
    const { errors, facts } = await inOwnNetwork("share-at-once-in-network.ts");
    expect(errors).toBe("");
    // 200,000, 400,000 and 600,000 bytes per second of 10,000,000, in bits.
    expect(facts).toEqual({
      codes: [0, 0, 0, 0, 0, 0],
      rates: ["1600Kbit", "3200Kbit", "4800Kbit", "70400Kbit"],
      errors: [],
    });
  },
  60_000,
);

// Program for filters.test.ts, in a separate network namespace: an attacker with a filtered tap and a
// neighbour on one bridge. Prints as JSON which frames pass, by the name of the filter.
import { readSync, writeSync } from "node:fs";
import { openTap } from "../../../../src/host/linux/network/open-tap.ts";
import { setPacketRules } from "../../../../src/host/linux/network/packet-rules.ts";
import { removeTapTable } from "../../../../src/host/linux/network/packet-table.ts";
import { setUpTap } from "../../../../src/host/linux/network/set-up-tap.ts";
import { filterTable, formatTapRules } from "../../../../src/network/filter/tap-rules.ts";
import { filterOf, HEADERS, HEADERS_BOTH } from "./defined-rules.ts";
import { arp, dhcp, frame, ipv6, TYPES, udp } from "./frames.ts";

const UUID = "81ff0d90-c91e-6742-64da-4a736edb9acb";
const [OWN, OTHER, NEIGHBOUR, HOST_MAC] = ["525400000001", "525400000099", "525400000002", "5254000000aa"];
const [OWN_IP, SECOND_IP, OTHER_IP, NEIGHBOUR_IP, HOST_IP] = [
  "10.8.0.1",
  "10.8.0.3",
  "10.8.0.9",
  "10.8.0.2",
  "10.8.0.254",
];
const [BROADCAST, NOTHING] = ["ffffffffffff", "000000000000"];
const [LINK_LOCAL, ALL_NODES] = [`fe80${"0".repeat(27)}1`, `ff02${"0".repeat(27)}1`];
const out = { from: OWN, to: NEIGHBOUR };
type Unusual = Pick<Parameters<typeof arp>[0], "hardware" | "lengths">;
const ask = (mac: string, ip: string, more: Unusual = {}): string =>
  arp({ operation: 1, sender: [mac, ip], target: [NOTHING, NEIGHBOUR_IP], ...more });
const announce = (mac: string): string =>
  arp({ operation: 3, sender: [mac, "0.0.0.0"], target: [mac, "0.0.0.0"] });

const request = (content: string, more: Parameters<typeof udp>[2] = {}): Buffer =>
  frame(
    { ...out, to: BROADCAST },
    TYPES.ipv4,
    udp("0.0.0.0", "255.255.255.255", { content, ports: [68, 67], ...more }),
  );

/** Frames of the attacker. */
const SENT: readonly (readonly [name: string, bytes: Buffer])[] = [
  ["IPv4", frame(out, TYPES.ipv4, udp(OWN_IP, NEIGHBOUR_IP))],
  ["IPv4 from the second address", frame(out, TYPES.ipv4, udp(SECOND_IP, NEIGHBOUR_IP))],
  ["IPv4 of another", frame(out, TYPES.ipv4, udp(OTHER_IP, NEIGHBOUR_IP))],
  ["IPv4 to all", frame({ ...out, to: BROADCAST }, TYPES.ipv4, udp(OWN_IP, "10.8.0.255"))],
  ["IPv4 multicast", frame({ ...out, to: "01005e000001" }, TYPES.ipv4, udp(OWN_IP, "224.0.0.1"))],
  ["IPv4 by another MAC", frame({ ...out, from: OTHER }, TYPES.ipv4, udp(OWN_IP, NEIGHBOUR_IP))],
  ["DHCP request", request(dhcp(OWN))],
  ["DHCP request of another", request(dhcp(OTHER))],
  ["DHCP request with a longer address", request(dhcp(OWN, "0107"))],
  ["DHCP request of another network", request(dhcp(OWN, "0606"))],
  ["DHCP request in fragments", request(dhcp(OWN), { isFragment: true })],
  ["DHCP offer", frame(out, TYPES.ipv4, udp(OWN_IP, NEIGHBOUR_IP, { ports: [67, 68], content: dhcp(OWN) }))],
  ["obsolete announcement", frame(out, "0835", "")],
  ["ARP", frame(out, TYPES.arp, ask(OWN, OWN_IP))],
  ["ARP for another IP", frame(out, TYPES.arp, ask(OWN, OTHER_IP))],
  ["ARP for another MAC", frame(out, TYPES.arp, ask(OTHER, OWN_IP))],
  ["ARP of other lengths", frame(out, TYPES.arp, ask(OWN, OWN_IP, { lengths: "0610" }))],
  ["ARP of IEEE 802 for another IP", frame(out, TYPES.arp, ask(OWN, OTHER_IP, { hardware: "0006" }))],
  ["IPv6", frame(out, TYPES.ipv6, ipv6(LINK_LOCAL, ALL_NODES))],
  ["tagged IPv4 of another", frame(out, TYPES.vlan, `0007${TYPES.ipv4}${udp(OTHER_IP, NEIGHBOUR_IP)}`)],
  ["tagged ARP for another IP", frame(out, TYPES.vlan, `0007${TYPES.arp}${ask(OWN, OTHER_IP)}`)],
  ["announcement", frame({ ...out, to: BROADCAST }, TYPES.rarp, announce(OWN))],
  ["announcement of another", frame({ ...out, to: BROADCAST }, TYPES.rarp, announce(OTHER))],
  ["another protocol", frame(out, "88b5", "")],
];
/** Frames of the neighbour to the attacker. */
const back = { from: NEIGHBOUR, to: OWN };
const RECEIVED: readonly (readonly [name: string, bytes: Buffer])[] = [
  ["IPv4", frame(back, TYPES.ipv4, udp(NEIGHBOUR_IP, OWN_IP))],
  ["IPv4 of the gateway", frame({ ...back, from: HOST_MAC }, TYPES.ipv4, udp(NEIGHBOUR_IP, OWN_IP))],
  ["ARP", frame(back, TYPES.arp, ask(NEIGHBOUR, NEIGHBOUR_IP))],
  ["IPv6", frame(back, TYPES.ipv6, ipv6(LINK_LOCAL, ALL_NODES))],
  ["tagged IPv4", frame(back, TYPES.vlan, `0007${TYPES.ipv4}${udp(NEIGHBOUR_IP, OWN_IP)}`)],
  ["another protocol", frame(back, "88b5", "")],
];

/** Length of Ethernet's and IPv4's headers. */
const LEAST_BYTES = 34;
const run = (...words: readonly string[]): string => Bun.spawnSync([...words]).stdout.toString();
const open = (name: string): number =>
  openTap({ name, netdev: "n", queues: [name], vhosts: [], hasHeader: false, isMade: true })[0]?.fd ?? -1;

/** Sends a frame, and reports whether it leaves by the other tap. */
async function passes(from: number, to: number, bytes: Buffer): Promise<boolean> {
  const found = Buffer.alloc(2048);
  writeSync(from, bytes);
  for (let tries = 0; tries < 6; tries += 1) {
    await Bun.sleep(5);
    try {
      for (;;) {
        const count = readSync(to, found);
        // br_netfilter of Linux removes what follows an IP packet.
        if (count >= LEAST_BYTES && found.subarray(0, count).equals(bytes.subarray(0, count))) return true;
      }
    } catch {
      // No more frames have arrived yet.
    }
  }
  return false;
}

async function listPassing(
  from: number,
  to: number,
  frames: readonly (readonly [string, Buffer])[],
): Promise<string[]> {
  const found: string[] = [];
  for (const [name, bytes] of frames) if (await passes(from, to, bytes)) found.push(name);
  return found;
}

run("ip", "link", "add", "br0", "address", "52:54:00:00:00:aa", "type", "bridge", "mcast_snooping", "0");
run("ip", "addr", "add", `${HOST_IP}/24`, "dev", "br0");
run("ip", "link", "set", "br0", "up");
const [attacker, neighbour] = [open("vnet0"), open("vnet1")];
const table = filterTable(UUID, "vnet0");
const apply = async (filter: string): Promise<void> => {
  const parameters = [
    ["IP", OWN_IP],
    ["IP", SECOND_IP],
    ["GATEWAY_MAC", "52:54:00:00:00:AA"],
    ["DHCPSERVER", HOST_IP],
    ["ONE", OWN_IP],
  ].map(([name = "", value = ""]) => ({ name, value }));
  await setPacketRules(formatTapRules({ table, ...filterOf({ filter, parameters }, "vnet0") }));
};
// The rules precede the tap's setup, as in a start.
await apply("clean-traffic");
setUpTap({ name: "vnet0", mac: "fe:54:00:00:00:01", bridge: "br0" });
setUpTap({ name: "vnet1", mac: "fe:54:00:00:00:02", bridge: "br0" });

// The host's own table of neighbours is what an attacker on its bridge poisons.
for (const ip of [OWN_IP, OTHER_IP]) {
  const question = arp({ operation: 1, sender: [OWN, ip], target: [NOTHING, HOST_IP] });
  writeSync(attacker, frame({ ...out, to: BROADCAST }, TYPES.arp, question));
}
await Bun.sleep(50);
const neighbours = run("ip", "neigh", "show", "dev", "br0").match(/^[0-9.]+/gm) ?? [];

const FILTERS = [
  "clean-traffic",
  "clean-traffic-gateway",
  "no-mac-spoofing",
  "no-ip-spoofing",
  "no-arp-spoofing",
  "no-ip-multicast",
  "no-mac-broadcast",
  "no-other-l2-traffic",
  "qemu-announce-self",
  "allow-ipv6",
  ...HEADERS,
  ...HEADERS_BOTH,
];
const facts = new Map<string, object>();
for (const filter of FILTERS) {
  await apply(filter);
  facts.set(filter, {
    sent: await listPassing(attacker, neighbour, SENT),
    received: await listPassing(neighbour, attacker, RECEIVED),
  });
}
const tables = run("/usr/sbin/nft", "list", "tables");
removeTapTable(table);
const without = { sent: await listPassing(attacker, neighbour, SENT) };
process.stdout.write(
  JSON.stringify({
    neighbours,
    filters: Object.fromEntries(facts),
    without: without.sent.length === SENT.length,
    table: tables.trim(),
    left: run("/usr/sbin/nft", "list", "tables"),
  }),
);

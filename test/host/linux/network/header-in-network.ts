// Program for filters.test.ts, in a separate network namespace: an attacker with a filtered tap, and a
// neighbour without checksum offload on one bridge. Prints as JSON which address the neighbour reads in an
// ARP message of the attacker's.
import { readSync, writeSync } from "node:fs";
import { askDevice } from "../../../../src/host/linux/calls/device-call.ts";
import { openTap } from "../../../../src/host/linux/network/open-tap.ts";
import { setPacketRules } from "../../../../src/host/linux/network/packet-rules.ts";
import { setUpTap } from "../../../../src/host/linux/network/set-up-tap.ts";
import { filterTable, formatTapRules } from "../../../../src/network/filter/tap-rules.ts";
import { arp, frame, TYPES } from "./frames.ts";

/** linux/if_tun.h */
const TUNSETOFFLOAD = 0x4004_54d0;
/** linux/virtio_net.h: flags, type, two lengths, start of the sum and its place from there. */
const NEEDS_CSUM = 1;
const [HEADER_BYTES, SUM_START, SENDER_END_AT] = [10, 20, 30];
const [OWN, NEIGHBOUR] = ["525400000001", "525400000002"];
const [OWN_IP, OTHER_END] = ["10.8.0.1", 0x0009];
const PADDING_AT = 44;

const run = (...words: readonly string[]): unknown => Bun.spawnSync([...words]);
const open = (name: string, hasHeader: boolean): number =>
  openTap({ name, netdev: "n", queues: [name], vhosts: [], hasHeader, isMade: true })[0]?.fd ?? -1;

/** Returns the sum of the words in ones' complement. RFC 1071 */
function sumOf(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

/**
 * Returns an answer of ARP with the attacker's address, whose sum from SUM_START on is the end of another
 * address.
 */
function forged(): Buffer {
  const answer = { operation: 2, sender: [OWN, OWN_IP], target: [NEIGHBOUR, "10.8.0.2"] } as const;
  const bytes = frame({ from: OWN, to: NEIGHBOUR }, TYPES.arp, arp(answer));
  const wanted = ~OTHER_END & 0xffff;
  const missing = (wanted - sumOf(bytes.subarray(SUM_START)) + 0xffff) % 0xffff;
  bytes.writeUInt16BE(missing, PADDING_AT);
  return bytes;
}

function header(): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes[0] = NEEDS_CSUM;
  bytes.writeUInt16LE(SUM_START, 6);
  bytes.writeUInt16LE(SENDER_END_AT - SUM_START, 8);
  return bytes;
}

/** Returns the sender's addresses in messages that the neighbour gets after this one. */
async function listSenders(from: number, to: number, bytes: Buffer): Promise<readonly string[]> {
  const senders = new Set<string>();
  const found = Buffer.alloc(2048);
  for (let tries = 0; tries < 10; tries += 1) {
    try {
      writeSync(from, bytes);
    } catch {
      // The kernel refuses a frame of a kind that it does not know.
    }
    await Bun.sleep(10);
    try {
      for (;;) {
        const count = readSync(to, found);
        const isOfAttacker = count >= PADDING_AT && found.toString("hex", 6, 14) === `${OWN}${TYPES.arp}`;
        if (isOfAttacker) senders.add(found.subarray(28, 32).join("."));
      }
    } catch {
      // No more frames have arrived yet.
    }
  }
  return [...senders];
}

run("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0");
run("ip", "link", "set", "br0", "up");
const neighbour = open("vnet9", false);
setUpTap({ name: "vnet9", mac: "fe:54:00:00:00:02", bridge: "br0" });
// As QEMU does for a card without offload.
askDevice(neighbour, TUNSETOFFLOAD, 0);
const facts = new Map<string, readonly string[]>();
for (const [name, hasHeader] of [
  ["header", true],
  ["none", false],
] as const) {
  const attacker = open(name, hasHeader);
  await setPacketRules(
    formatTapRules({
      table: filterTable("81ff0d90-c91e-6742-64da-4a736edb9acb", name),
      tap: name,
      filter: "clean-traffic",
      variables: [
        { name: "MAC", values: ["52:54:00:00:00:01"] },
        { name: "IP", values: [OWN_IP] },
      ],
    }),
  );
  setUpTap({ name, mac: "fe:54:00:00:00:01", bridge: "br0" });
  facts.set(name, await listSenders(attacker, neighbour, Buffer.concat([header(), forged()])));
  facts.set(`${name}, alone`, await listSenders(attacker, neighbour, forged()));
}
process.stdout.write(JSON.stringify(Object.fromEntries(facts)));

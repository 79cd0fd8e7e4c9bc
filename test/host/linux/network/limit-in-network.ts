// Program for filters.test.ts, in a separate network namespace. Prints as JSON whether the kernel shows
// svirt's limits of a tap as it shows those of libvirt's commands, and how many bytes pass.
import { readSync, writeSync } from "node:fs";
import { openTap } from "../../../../src/host/linux/network/open-tap.ts";
import { setPacketRules } from "../../../../src/host/linux/network/packet-rules.ts";
import { removeTapTable } from "../../../../src/host/linux/network/packet-table.ts";
import { setUpTap } from "../../../../src/host/linux/network/set-up-tap.ts";
import { shapeTap } from "../../../../src/host/linux/network/shape-tap.ts";
import { formatTapRules, limitTable } from "../../../../src/network/filter/tap-rules.ts";
import { frame, TYPES, udp } from "./frames.ts";

const [ONE, OTHER] = ["525400000001", "525400000002"];
const FRAME_BYTES = 1000;
const SECONDS = 1;
const run = (...words: readonly string[]): string => Bun.spawnSync([...words]).stdout.toString();
const tc = (line: string): string => run("/usr/sbin/tc", ...line.split(" "));
const open = (name: string): number =>
  openTap({ name, netdev: "n", queues: [name], vhosts: [], hasHeader: false, isMade: true })[0]?.fd ?? -1;

/** Shows the queue and the class of a device, without its name and what only a queue has at each moment. */
function show(name: string): readonly string[] {
  const shown = tc(`-d qdisc show dev ${name}`) + tc(`-d class show dev ${name}`);
  return shown
    .split("\n")
    .filter((line) => line.startsWith("qdisc htb") || line.startsWith("class htb"))
    .map((line) => line.replace(/ leaf \S+| direct_packets_stat \d+/g, "").trim());
}

run("ip", "link", "add", "br0", "type", "bridge");
run("ip", "link", "set", "br0", "up");
const [one, other] = [open("vnet0"), open("vnet1")];
setUpTap({ name: "vnet0", mac: "fe:54:00:00:00:01", bridge: "br0" });
setUpTap({ name: "vnet1", mac: "fe:54:00:00:00:02", bridge: "br0" });
run("ip", "tuntap", "add", "dev", "model", "mode", "tap");

// tests/virnetdevbandwidthtest.c of libvirt has these commands.
const shown: (readonly (readonly string[])[])[] = [];
for (const [shape, words] of [
  [{ bytesPerSecond: 1_024_000, peakBytesPerSecond: 1_024_000 }, "rate 1024kbps quantum 87"],
  [
    { bytesPerSecond: 1000, peakBytesPerSecond: 2000, burstBytes: 4096 },
    "rate 1kbps ceil 2kbps burst 4kb quantum 1",
  ],
  [
    { bytesPerSecond: 4_294_967_295_000, peakBytesPerSecond: 4_294_967_295_000 },
    "rate 4294967295kbps quantum 366503875",
  ],
] as const) {
  shapeTap("vnet0", shape);
  tc("qdisc del dev model root");
  tc("qdisc add dev model root handle 1: htb default 1");
  tc(`class add dev model parent 1: classid 1:1 htb ${words}`);
  shown.push([show("vnet0"), show("model")]);
}

/** Sends for a second as fast as the tap accepts it, and returns the bytes that arrive. */
async function countThrough(from: number, to: number, ends: { from: string; to: string }): Promise<number> {
  const bytes = Buffer.concat([
    frame(ends, TYPES.arp, udp("10.8.0.1", "10.8.0.2")),
    Buffer.alloc(FRAME_BYTES),
  ]).subarray(0, FRAME_BYTES);
  const found = Buffer.alloc(2048);
  const end = performance.now() + SECONDS * 1000;
  let count = 0;
  while (performance.now() < end) {
    for (let sent = 0; sent < 20; sent += 1) writeSync(from, bytes);
    await Bun.sleep(1);
    try {
      for (;;) if (readSync(to, found) === FRAME_BYTES) count += FRAME_BYTES;
    } catch {
      // No more frames have arrived yet.
    }
  }
  return count;
}

const [forth, back] = [
  { from: ONE, to: OTHER },
  { from: OTHER, to: ONE },
];
shapeTap("vnet0", undefined);
await countThrough(other, one, back);
const free = [await countThrough(one, other, forth), await countThrough(other, one, back)];
const table = limitTable("81ff0d90-c91e-6742-64da-4a736edb9acb", "vnet0");
// Those of `<outbound average='4294967295' burst='4294967295'/>`, which the kernel accepts.
const most = { bytesPerSecond: 4_294_967_295_000, burstBytes: 4_294_967_295 };
await setPacketRules(formatTapRules({ table, tap: "vnet0", limit: most }));
const limit = { bytesPerSecond: 100_000, burstBytes: 10_240 };
await setPacketRules(formatTapRules({ table, tap: "vnet0", limit }));
shapeTap("vnet0", { bytesPerSecond: 100_000, peakBytesPerSecond: 100_000 });
const limited = [await countThrough(one, other, forth), await countThrough(other, one, back)];
removeTapTable(table);
shapeTap("vnet0", undefined);
const again = [await countThrough(one, other, forth), await countThrough(other, one, back)];
shapeTap("gone", undefined);
process.stdout.write(JSON.stringify({ shown, free, limited, again, left: show("vnet0") }));

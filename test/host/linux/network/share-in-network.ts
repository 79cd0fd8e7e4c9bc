// Program for filters.test.ts, in a separate network namespace. Prints as JSON whether the kernel shows the
// limits of a network's bridge, and the shares of guests, as it shows those of libvirt's commands, and how
// the bytes of two guests are shared.
import { readSync, writeSync } from "node:fs";
import { asSvirtError } from "../../../../src/errors.ts";
import { makeBridge } from "../../../../src/host/linux/network/bridge.ts";
import { openTap } from "../../../../src/host/linux/network/open-tap.ts";
import { setPacketRules } from "../../../../src/host/linux/network/packet-rules.ts";
import { removeTapTable } from "../../../../src/host/linux/network/packet-table.ts";
import { setFloor } from "../../../../src/host/linux/network/share-bridge.ts";
import { formatTapRules, limitTable } from "../../../../src/network/filter/tap-rules.ts";
import { frame, TYPES } from "./frames.ts";

const SECONDS = 1.5;
const run = (...words: readonly string[]): string => Bun.spawnSync([...words]).stdout.toString();
const tc = (line: string): string => run("/usr/sbin/tc", ...line.split(" "));
const MACS = ["52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"] as const;
const on = (at: 0 | 1 | 2) => ({ bridge: "lan", mac: MACS[at] });

/**
 * Shows the queues, the classes and the filters of a device, without its name and what only a queue has at
 * each moment.
 */
function show(name: string): readonly string[] {
  const shown =
    tc(`-d qdisc show dev ${name}`) +
    tc(`-d class show dev ${name}`) +
    tc(`filter show dev ${name} parent 1:`);
  return shown
    .split("\n")
    .filter((line) => !line.startsWith("class sfq"))
    .map((line) => line.replace(/ direct_packets_stat \d+| refcnt \d+| dev \S+/g, "").trim())
    .filter((line) => line !== "")
    .sort();
}

// virNetDevBandwidthSet(), virNetDevBandwidthPlug() and virNetDevBandwidthUpdateRate() of libvirt have these
// commands. There the quantum of a class is that of the average in the XML, and of an interface without an
// average 1; here it is that of the class's rate.
const SFQ = "sfq perturb 10";
run("ip", "link", "add", "model", "type", "bridge");
tc("qdisc add dev model root handle 1: htb default 2");
tc("class add dev model parent 1: classid 1:1 htb rate 1000kbps ceil 5000kbps quantum 85");
tc("class add dev model parent 1:1 classid 1:2 htb rate 1000kbps ceil 5000kbps burst 1024kb quantum 85");
tc(`qdisc add dev model parent 1:2 handle 2: ${SFQ}`);
makeBridge({
  name: "lan",
  mac: "52:54:00:00:00:aa",
  stp: false,
  delaySeconds: 0,
  addresses: [{ address: "10.9.0.1", prefix: 24 }],
  routes: [],
  isIsolated: false,
  inbound: { bytesPerSecond: 1_000_000, peakBytesPerSecond: 5_000_000, burstBytes: 1_048_576 },
});
const limited = [show("lan"), show("model")];

const plug = (number: number, last: string, rate: string): void => {
  tc(`class add dev model parent 1:1 classid 1:${number} htb ceil 5000kbps rate ${rate}`);
  tc(`qdisc add dev model parent 1:${number} handle ${number}: ${SFQ}`);
  // libvirt has protocol ip, and leaves the share of IPv6 and ARP to the other guests.
  tc(
    `filter add dev model parent 1: protocol all prio 2 handle 800::${number} u32 match u32 0x000000${last} 0xffffffff at -12 match u16 0x5254 0xffff at -14 flowid 1:${number}`,
  );
};
plug(3, "01", "1000kbps quantum 85");
plug(4, "02", "300kbps quantum 25");
tc("class change dev model classid 1:2 htb rate 3700kbps ceil 5000kbps quantum 315");
setFloor(on(0), 1_000_000);
setFloor(on(1), 300_000);
const shared = [show("lan"), show("model")];

setFloor(on(0), 2_000_000);
tc("class change dev model classid 1:3 htb rate 2000kbps ceil 5000kbps quantum 170");
tc("class change dev model classid 1:2 htb rate 2700kbps ceil 5000kbps quantum 230");
const changed = [show("lan"), show("model")];

// A class without a filter stays, and has no share; and a removal is repeated.
tc("filter del dev lan parent 1: prio 2 handle 800::3 u32");
setFloor(on(1), undefined);
setFloor(on(1), undefined);
tc("class change dev model classid 1:2 htb rate 5000kbps ceil 5000kbps quantum 426");
tc("filter del dev model parent 1: prio 2 handle 800::3 u32");
tc("filter del dev model parent 1: prio 2 handle 800::4 u32");
const isShare = (line: string): boolean => line.startsWith("class") || line.includes("flowid");
const ended = [show("lan"), show("model")].map((lines) => lines.filter(isShare));

// The third guest is sent to without a share, and the first with one.
const ends = openEnds();
setFloor(on(0), 4_000_000);
const counts = await countThrough();
const lost = await countLost();

setFloor({ bridge: "gone", mac: MACS[0] }, undefined);
let refused = "";
try {
  setFloor({ bridge: "gone", mac: MACS[0] }, 1);
} catch (error) {
  refused = asSvirtError(error).message;
}
process.stdout.write(JSON.stringify({ limited, shared, changed, ended, counts, lost, refused }));

/** Puts two taps on the bridge. */
function openEnds(): readonly { readonly fd: number; readonly address: string }[] {
  return (["01", "03"] as const).map((last) => {
    const name = `vnet${last}`;
    const [tap] = openTap({ name, netdev: "n", queues: [name], vhosts: [], hasHeader: false, isMade: true });
    run("ip", "link", "set", name, "master", "lan", "up");
    run("bridge", "fdb", "add", `52:54:00:00:00:${last}`, "dev", name, "master", "static");
    run("ip", "neigh", "add", `10.9.0.1${last}`, "lladdr", `52:54:00:00:00:${last}`, "dev", "lan");
    return { fd: tap?.fd ?? -1, address: `10.9.0.1${last}` };
  });
}

/** Returns the bytes per second to each guest while the host sends all that it can. */
async function countThrough(): Promise<readonly number[]> {
  // The kernel limits what one socket has in queues.
  const sockets = await Promise.all(ends.map(() => Bun.udpSocket({})));
  const datagram = Buffer.alloc(1400);
  const counts = ends.map(() => 0);
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() < end) {
    for (const [at, { address }] of ends.entries())
      for (let sent = 0; sent < 20; sent += 1) sockets[at]?.send(datagram, 9, address);
    await Bun.sleep(1);
    for (const [at, { fd }] of ends.entries()) counts[at] = (counts[at] ?? 0) + readAll(fd);
  }
  for (const socket of sockets) socket.close();
  return counts.map((count) => Math.round(count / SECONDS));
}

/**
 * Returns how many of 100 frames of 1,000 bytes from a guest to the host are lost by a limit of 10,000 bytes
 * per second.
 */
async function countLost(): Promise<number> {
  const table = limitTable("81ff0d90-c91e-6742-64da-4a736edb9acb", "lan");
  await setPacketRules(
    formatTapRules({ table, tap: "lan", limit: { bytesPerSecond: 10_000, burstBytes: 10_240 } }),
  );
  // The kernel reads no further than the header of Ethernet.
  const packet = frame({ from: "525400000001", to: "5254000000aa" }, TYPES.arp, "");
  const bytes = Buffer.concat([packet, Buffer.alloc(1000)]).subarray(0, 1000);
  for (let sent = 0; sent < 100; sent += 1) writeSync(ends[0]?.fd ?? -1, bytes);
  const [, lost = ""] = /packets (\d+)/.exec(run("/usr/sbin/nft", "list", "table", "netdev", table)) ?? [];
  removeTapTable(table);
  return Number(lost);
}

/** Reads the frames that have arrived, and returns their bytes. */
function readAll(fd: number): number {
  const found = Buffer.alloc(2048);
  let bytes = 0;
  try {
    for (;;) bytes += readSync(fd, found);
  } catch {
    // No more frames have arrived yet.
  }
  return bytes;
}

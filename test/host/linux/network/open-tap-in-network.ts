// Program for taps.test.ts, in a separate network namespace. Prints as JSON when the kernel reports a tap as
// open.
import { closeSync } from "node:fs";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";
import { openTap } from "../../../../src/host/linux/network/open-tap.ts";
import type { PassedTap } from "../../../../src/plan/facts/tap.ts";
import { isOpenTap } from "../../../../src/run/process/still-held.ts";

const host = makeLinuxHost();
const run = (...words: readonly string[]): unknown => Bun.spawnSync([...words]);
const tap = (name: string, isMade: boolean): PassedTap => ({
  name,
  netdev: "hostnet0",
  queues: ["a"],
  vhosts: [],
  hasHeader: true,
  isMade,
});
const open = (wanted: PassedTap): number => openTap(wanted)[0]?.fd ?? -1;

const made = tap("vnet0", true);
const lasting = tap("lasting", false);
run("ip", "tuntap", "add", "lasting", "mode", "tap", "vnet_hdr");
const before = [made, lasting].map((one) => isOpenTap(host, one));
const down = open(lasting);
const isOpenDown = isOpenTap(host, lasting);
closeSync(down);
run("ip", "link", "set", "lasting", "up");
const fds = [made, lasting].map(open);
const held = [made, lasting].map((one) => isOpenTap(host, one));
for (const fd of fds) closeSync(fd);
const closed = [made, lasting].map((one) => isOpenTap(host, one));
run("ip", "link", "add", "vnet0", "type", "bridge");
const another = isOpenTap(host, made);
process.stdout.write(JSON.stringify({ before, isOpenDown, held, closed, another }));

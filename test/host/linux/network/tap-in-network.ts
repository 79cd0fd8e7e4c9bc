// Program for taps.test.ts, in a separate network namespace. Prints the states of taps as JSON.
import { ptr } from "bun:ffi";
import { closeSync, readdirSync, readFileSync } from "node:fs";
import { asSvirtError } from "../../../../src/errors.ts";
import { callDevice, requestFor } from "../../../../src/host/linux/calls/device-call.ts";
import { libc } from "../../../../src/host/linux/calls/libc.ts";
import { withRoutes } from "../../../../src/host/linux/network/netlink.ts";
import { openTap } from "../../../../src/host/linux/network/open-tap.ts";
import { removeTap, setUpTap } from "../../../../src/host/linux/network/set-up-tap.ts";
import type { PassedTap } from "../../../../src/plan/facts/tap.ts";
import { frameThrough } from "./frame-through.ts";

const TUNSETPERSIST = 0x400454cb;
const tap = (name: string, queues: readonly string[]): PassedTap => ({
  name,
  netdev: "hostnet0",
  queues: [...queues],
  vhosts: [],
  hasHeader: false,
  isMade: true,
});
const run = (...words: readonly string[]): unknown => Bun.spawnSync([...words]);
const read = (path: string): string => readFileSync(`/sys/class/net/${path}`, "utf8").trim();
const ports = (): string[] => readdirSync("/sys/class/net/br0/brif").sort();
const said = (act: () => unknown): string => {
  try {
    act();
    return "";
  } catch (error) {
    return asSvirtError(error).message;
  }
};

/** Returns rx_max_coalesced_frames of a device. linux/ethtool.h ETHTOOL_GCOALESCE */
function gatheredBy(fd: number, name: string): number | undefined {
  const facts = new Uint32Array(23);
  facts[0] = 0x0e;
  const { bytes, rest } = requestFor(name);
  rest.setBigUint64(0, BigInt(ptr(facts)), true);
  callDevice(fd, 0x8946, bytes);
  return facts[2];
}

const BY = { source: "525400000001", destination: "525400000002", headerBytes: 0 };

run("ip", "link", "add", "br0", "type", "bridge");
run("ip", "link", "set", "br0", "up");
const queues = openTap(tap("vnet0", ["a", "b"]));
const [first = { fd: -1 }] = queues;
const [second = { fd: -1 }] = openTap(tap("web", ["c"]));
const refusedTwice = said(() => openTap(tap("vnet0", ["d"])));
const mac = "fe:54:00:00:00:01";
setUpTap({ name: "vnet0", mac, mtu: 1400, bridge: "br0", gatheredFrames: 7 });
setUpTap({ name: "web", mac: "fe:54:00:00:00:02", bridge: "br0" });
const facts = {
  refusedTwice,
  address: read("vnet0/address"),
  mtu: read("vnet0/mtu"),
  queues: readdirSync("/sys/class/net/vnet0/queues").filter((name) => name.startsWith("rx")).length,
  ports: ports(),
  isUp: ["vnet0", "web"].map((name) => (Number(read(`${name}/flags`)) & 1) === 1),
  resolved: withRoutes((fd) => gatheredBy(fd, "vnet0")),
  missingBridge: said(() => setUpTap({ name: "web", mac: "fe:54:00:00:00:02", bridge: "br9" })),
  arrived: await frameThrough(first.fd, second.fd, BY),
};
setUpTap({ name: "vnet0", mac, bridge: "br0", isolated: true });
setUpTap({ name: "web", mac: "fe:54:00:00:00:02", bridge: "br0", isolated: true });
const isolated = [read("br0/brif/vnet0/isolated"), read("br0/brif/web/isolated")];
const arrivedIsolated = (await frameThrough(first.fd, second.fd, { ...BY, most: 50 })) ?? "nothing";
for (const { fd } of queues) closeSync(fd);
const afterClose = ports();
removeTap({ name: "vnet0", mac });
removeTap({ name: "web", mac });
const anotherAddress = ports();
// A compromised QEMU could do this to its tap, if the policy did not forbid it.
libc().syscall(16n, BigInt(second.fd), BigInt(TUNSETPERSIST), 1n, 0n);
closeSync(second.fd);
const persistent = ports();
removeTap({ name: "web", mac: "fe:54:00:00:00:02" });
// A link without an address.
run("ip", "tuntap", "add", "dev", "tun9", "mode", "tun");
removeTap({ name: "tun9", mac });
const withoutAddress = readdirSync("/sys/class/net").includes("tun9");
const more = {
  withoutAddress,
  isolated,
  arrivedIsolated,
  afterClose,
  anotherAddress,
  persistent,
  removed: ports(),
};
process.stdout.write(JSON.stringify({ ...facts, ...more }));

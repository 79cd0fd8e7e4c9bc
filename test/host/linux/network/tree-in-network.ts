// Program for bridges.test.ts, in a separate network namespace: a network's bridge with a guest that sends
// messages of the spanning tree protocol. Prints as JSON what the bridge then has, with a guarded tap and
// with another one.
import { readFileSync, writeSync } from "node:fs";
import { makeBridge, removeBridge } from "../../../../src/host/linux/network/bridge.ts";
import { openTap } from "../../../../src/host/linux/network/open-tap.ts";
import { disconnectTap, setUpTap } from "../../../../src/host/linux/network/set-up-tap.ts";

const BRIDGES = "0180c2000000";
const SOURCE = "525400000001";
/**
 * IEEE Std 802.1D-2004, 9.3: a root of the highest priority, its age 0 of 40 s, hello 2 s, forward delay 30
 * s; and a change of topology.
 */
const CONFIGURATION = `${"0000000000"}${"0000"}${SOURCE}${"00000000"}${"0000"}${SOURCE}${"8001"}${"0000280002001e00"}`;
const CHANGE = "00000080";
const run = (...words: readonly string[]): string => Bun.spawnSync([...words]).stdout.toString();
const read = (path: string): string => readFileSync(`/sys/class/net/${path}`, "utf8").trim();

/** Returns a frame of IEEE 802.2 with the protocol's number, 66. */
function message(content: string): Buffer {
  const data = `424203${content}`;
  const length = (data.length / 2).toString(16).padStart(4, "0");
  return Buffer.from(`${BRIDGES}${SOURCE}${length}${data}`.padEnd(120, "0"), "hex");
}

async function factsWith(isGuarded: boolean): Promise<object> {
  const bridge = {
    ...{ name: "virbr0", mac: "52:54:00:00:00:aa", stp: true, delaySeconds: 0 },
    ...{ addresses: [], routes: [], isIsolated: true },
  };
  makeBridge(bridge);
  const tap = { name: "vnet0", mac: "fe:54:00:00:00:01" };
  const opened = { ...tap, netdev: "n", queues: ["a"], vhosts: [], hasHeader: false, isMade: true };
  const fd = openTap(opened)[0]?.fd ?? -1;
  setUpTap({ ...tap, bridge: "virbr0", ...(isGuarded ? { isGuarded } : {}) });
  const before = read("virbr0/bridge/root_id");
  for (const content of [CHANGE, CONFIGURATION, CHANGE]) {
    writeSync(fd, message(content));
    await Bun.sleep(50);
  }
  const facts = {
    isOwnRoot: read("virbr0/bridge/root_id") === before,
    rootPort: read("virbr0/bridge/root_port"),
    forwardDelay: read("virbr0/bridge/forward_delay"),
    isChanged: read("virbr0/bridge/topology_change_detected") === "1",
    snooping: read("virbr0/bridge/multicast_snooping"),
    ipv6: ["disable_ipv6", "accept_ra"].map((key) =>
      readFileSync(`/proc/sys/net/ipv6/conf/vnet0/${key}`, "utf8").trim(),
    ),
    addresses: run("ip", "-6", "addr", "show", "dev", "vnet0"),
  };
  const isPort = (): boolean => run("ip", "link", "show", "dev", "vnet0").includes("master virbr0");
  const isUp = (): boolean => (Number(read("vnet0/flags")) & 1) === 1;
  const states = [[isPort(), isUp()]];
  disconnectTap({ ...tap, mac: "fe:54:00:00:00:02" });
  states.push([isPort(), isUp()]);
  disconnectTap(tap);
  states.push([isPort(), isUp()]);
  disconnectTap({ ...tap, name: "vnet7" });
  let isRefused = false;
  try {
    writeSync(fd, message(CHANGE));
  } catch {
    isRefused = true;
  }
  run("ip", "link", "del", "vnet0");
  removeBridge(bridge);
  return { ...facts, states, isRefused };
}

process.stdout.write(JSON.stringify({ guarded: await factsWith(true), other: await factsWith(false) }));

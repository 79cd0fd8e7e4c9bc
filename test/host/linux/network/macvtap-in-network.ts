// Program for taps.test.ts, in a separate network namespace. Prints the states of macvtaps as JSON.
import { closeSync, existsSync, readFileSync } from "node:fs";
import { asSvirtError } from "../../../../src/errors.ts";
import { callDevice, requestFor } from "../../../../src/host/linux/calls/device-call.ts";
import { macvtapNode, makeMacvtap, removeMacvtap } from "../../../../src/host/linux/network/macvtap.ts";
import { openTap } from "../../../../src/host/linux/network/open-tap.ts";
import type { Macvtap } from "../../../../src/plan/facts/tap.ts";
import { frameThrough } from "./frame-through.ts";

const GROUP = 0x70000001;
const [TUNGETIFF, IFF_VNET_HDR] = [0x800454d2, 0x4000];
const link = (name: string, last: string, mode: Macvtap["mode"] = "bridge"): Macvtap => ({
  name,
  lower: "br0",
  mode,
  mac: `52:54:00:00:00:${last}`,
  group: GROUP,
});
const run = (...words: readonly string[]): string => Bun.spawnSync([...words]).stdout.toString();
const read = (path: string): string => readFileSync(`/sys/class/net/${path}`, "utf8").trim();
const isThere = (name: string): boolean => existsSync(`/sys/class/net/${name}`);
const modeOf = (name: string): string =>
  /mode (\w+)/.exec(run("ip", "-d", "link", "show", name).split("macvtap").at(-1) ?? "")?.[1] ?? "";
const said = (act: () => unknown): string => {
  try {
    act();
    return "";
  } catch (error) {
    return asSvirtError(error).message;
  }
};
const open = (name: string): number =>
  openTap({
    name,
    netdev: "hostnet0",
    queues: ["a"],
    vhosts: [],
    hasHeader: true,
    isMade: false,
    macvtap: {},
  })[0]?.fd ?? -1;

const BY = { source: "525400000001", destination: "525400000002", headerBytes: 10 };

// A device node is named by the device's number, and the kernel removes nodes of an ended network namespace
// late. Numbers are skipped until the next ones are free.
const NUMBERS = 16;
for (let isFree = false; !isFree; ) {
  run("ip", "link", "add", "passing", "type", "bridge");
  const number = Number(read("passing/ifindex"));
  run("ip", "link", "del", "passing");
  isFree = !Array.from({ length: NUMBERS }, (_, at) => `/dev/tap${number + 1 + at}`).some((path) =>
    existsSync(path),
  );
}
run("ip", "link", "add", "br0", "type", "bridge");
run("ip", "link", "set", "br0", "up");
const before = read("br0/address");
makeMacvtap(link("macvtap0", "01"));
makeMacvtap(link("web", "02"));
const [first, second] = [open("macvtap0"), open("web")];
const { bytes, rest } = requestFor("");
callDevice(first, TUNGETIFF, bytes);
const facts = {
  address: read("macvtap0/address"),
  group: read("macvtap0/netdev_group"),
  isUp: ["macvtap0", "web"].map((name) => (Number(read(`${name}/flags`)) & 1) === 1),
  mode: modeOf("macvtap0"),
  hasHeader: (rest.getUint16(0, true) & IFF_VNET_HDR) !== 0,
  arrived: await frameThrough(first, second, BY),
  twice: said(() => makeMacvtap(link("web", "03"))),
  missing: said(() => makeMacvtap({ ...link("other", "03"), lower: "eth9" })),
};
const node = macvtapNode("macvtap0");
for (const fd of [first, second]) closeSync(fd);
removeMacvtap({ name: "macvtap0", group: GROUP + 1 });
const anotherGroup = isThere("macvtap0");
for (const name of ["macvtap0", "web"]) removeMacvtap({ name, group: GROUP });
const removed = ["macvtap0", "web"].map(isThere);
const isNodeThere = existsSync(node);
makeMacvtap(link("macvtap0", "03", "passthrough"));
const passedThrough = [modeOf("macvtap0"), read("macvtap0/address"), read("br0/address")];
removeMacvtap({ name: "macvtap0", group: GROUP });
const putBack = read("br0/address") === before;
const again = said(() => removeMacvtap({ name: "macvtap0", group: GROUP }));
process.stdout.write(
  JSON.stringify({ ...facts, anotherGroup, removed, node: isNodeThere, passedThrough, putBack, again }),
);

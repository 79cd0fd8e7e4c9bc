// Program for open-vswitch.test.ts, in a separate network namespace: an Open vSwitch with ports of taps.
// Prints their states as JSON.
import { closeSync, readFileSync } from "node:fs";
import { asSvirtError } from "../../../../src/errors.ts";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";
import { openTap } from "../../../../src/host/linux/network/open-tap.ts";
import { decideSwitchPort } from "../../../../src/plan/decide/switch-port.ts";
import type { PassedTap, TapSetup } from "../../../../src/plan/facts/tap.ts";
import { removeTap, setUpTap } from "../../../../src/run/steps/tap/switch-port.ts";
import { frameThrough } from "./frame-through.ts";

const [PROFILE, UUID] = [`a "b", c=d \\`, "c7a5fdbd-edaf-9455-926a-d65c16db1809"];
const idOf = (at: number): string => `09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4${at}`;
const run = (...words: readonly string[]): string =>
  Bun.spawnSync([...words])
    .stdout.toString()
    .trim();
const start = (...words: readonly string[]) =>
  Bun.spawn([...words, "--log-file=/dev/null", "-vconsole:off"], { stdio: ["ignore", "ignore", "ignore"] });
const DATABASE = "/run/openvswitch/db.sock";

async function until(isReady: () => boolean): Promise<void> {
  for (let tries = 0; tries < 600 && !isReady(); tries += 1) await Bun.sleep(50);
}

run("mount", "-t", "tmpfs", "tmpfs", "/run");
run("mkdir", "/run/openvswitch");
run("ovsdb-tool", "create", "/run/openvswitch/conf.db", "/usr/share/openvswitch/vswitch.ovsschema");
const database = start(
  "ovsdb-server",
  "/run/openvswitch/conf.db",
  `--remote=punix:${DATABASE}`,
  "--no-chdir",
);
await until(() => Bun.spawnSync(["ovs-vsctl", "--timeout=1", "--no-wait", "init"]).success);
const vswitch = start("ovs-vswitchd", `unix:${DATABASE}`, "--pidfile=/run/openvswitch/ovs-vswitchd.pid");
run("ovs-vsctl", "--timeout=30", "add-br", "ovsbr0", "--", "set", "bridge", "ovsbr0", "datapath_type=netdev");
run("ovs-vsctl", "--timeout=30", "add-br", "ovsbr1", "--", "set", "bridge", "ovsbr1", "datapath_type=netdev");
run("ip", "link", "set", "ovsbr0", "mtu", "1400", "up");

const host = makeLinuxHost();
const read = (path: string): string => readFileSync(`/sys/class/net/${path}`, "utf8").trim();
const tapOf = (name: string): PassedTap => ({
  name,
  netdev: "hostnet0",
  queues: ["a"],
  vhosts: [],
  hasHeader: false,
  isMade: true,
});
const setupOf = (at: number, tags: readonly number[], bridge = "ovsbr0"): TapSetup => ({
  name: `vnet${at}`,
  mac: `fe:54:00:00:00:0${at}`,
  ...decideSwitchPort(
    {
      mac: { address: `52:54:00:00:00:0${at}` },
      source: { bridge },
      mtu: { size: 1300 },
      virtualport: { type: "openvswitch", parameters: { interfaceid: idOf(at), profileid: PROFILE } },
      vlan: { tags: tags.map((id) => ({ id })) },
    },
    { guestUuid: UUID, hasProgram: () => true, getMtu: () => 1400 },
  ),
});
const join = async (at: number, tags: readonly number[]): Promise<number> => {
  const [queue = { fd: -1 }] = openTap(tapOf(`vnet${at}`));
  await setUpTap(host, setupOf(at, tags));
  return queue.fd;
};
const said = async (act: () => Promise<unknown>): Promise<string> => {
  try {
    await act();
    return "";
  } catch (error) {
    return asSvirtError(error).message;
  }
};
const leave = async (at: number, interfaceId: string, guestUuid = UUID): Promise<void> =>
  await removeTap(host, {
    do: "remove-tap",
    name: `vnet${at}`,
    mac: `fe:54:00:00:00:0${at}`,
    port: { guestUuid, interfaceId },
  });
const ports = (): string => run("ovs-vsctl", "--timeout=30", "list-ports", "ovsbr0").replaceAll("\n", " ");
const ofPort = (at: number, column: string): string =>
  run("ovs-vsctl", "--bare", "get", "Port", `vnet${at}`, column);

// Left over from a guest, with another bridge and VLAN.
const leftOver = ["add-port", "ovsbr1", "vnet0", "tag=99", "--", "set", "Interface", "vnet0"];
run("ovs-vsctl", "--no-wait", ...leftOver, "external_ids:vm-id=another");
// Ports of the administrator without devices of their names.
const patch = ["add-port", "ovsbr1", "patch0", "--", "set", "Interface", "patch0", "type=patch"];
run("ovs-vsctl", "--no-wait", ...patch, "--", "add-bond", "ovsbr1", "bond0", "eth8", "eth9");
const first = await join(0, [7]);
const second = await join(1, [7]);
const third = await join(2, [8]);
const fourth = await join(3, [7, 8]);
const by = (at: number) => ({ source: `52540000000${at}`, destination: "ffffffffffff", headerBytes: 0 });
const facts = {
  ports: ports(),
  held: await Promise.all(
    ["patch0", "bond0"].map(async (name) => {
      const [queue = { fd: -1 }] = openTap(tapOf(name));
      const message = await said(async () => await setUpTap(host, { ...setupOf(5, []), name }));
      closeSync(queue.fd);
      return message;
    }),
  ),
  other: run("ovs-vsctl", "list-ports", "ovsbr1").replaceAll("\n", " "),
  tags: [0, 1, 2, 3].map((at) => `${ofPort(at, "tag")} ${ofPort(at, "trunks")}`),
  transient: ofPort(0, "other_config:transient"),
  ids: JSON.parse(run("ovs-vsctl", "--format=json", "--columns=external_ids", "list", "Interface", "vnet0"))
    .data,
  mtu: read("vnet0/mtu"),
  isUp: (Number(read("vnet0/flags")) & 1) === 1,
  sameVlan: await frameThrough(first, second, by(0)),
  otherVlan: (await frameThrough(first, third, { ...by(0), most: 50 })) ?? "nothing",
  missingBridge: await said(async () => await setUpTap(host, setupOf(0, [7], "ovsbr9"))),
  portsAfterFailure: ports(),
};
const [option = { fd: -1 }] = openTap(tapOf("-x"));
const dashed = [await said(async () => await setUpTap(host, { ...setupOf(5, []), name: "-x" })), ports()];
closeSync(option.fd);
await removeTap(host, {
  do: "remove-tap",
  name: "-x",
  mac: "fe:54:00:00:00:05",
  port: { guestUuid: UUID, interfaceId: idOf(5) },
});
for (const fd of [first, second, third, fourth]) closeSync(fd);
await leave(0, idOf(1));
await leave(0, idOf(0), UUID.replace("c7", "c8"));
const another = ports();
for (const at of [0, 1, 2]) await leave(at, idOf(at));
await leave(2, idOf(2));
const afterEnd = ports();
vswitch.kill("SIGKILL");
await vswitch.exited;
await leave(3, idOf(3));
const withoutSwitch = ports();
const more = ["vnet4", "vnet5"].flatMap((name) => openTap(tapOf(name)));
const late = await said(async () => await setUpTap(host, setupOf(4, [])));
await leave(4, idOf(4));
const afterLate = ports();
database.kill("SIGKILL");
await database.exited;
const withoutDatabase = [
  await said(async () => await setUpTap(host, setupOf(5, []))),
  await said(async () => await leave(5, idOf(5))),
];
for (const { fd } of more) closeSync(fd);
process.stdout.write(
  JSON.stringify({ ...facts, dashed, another, afterEnd, withoutSwitch, late, afterLate, withoutDatabase }),
);

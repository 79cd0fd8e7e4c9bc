// Program for bridges.test.ts, in a separate network namespace, which is the host of a guest and of the world
// outside. Prints as JSON who reaches whom on networks of each mode.
import { existsSync, writeFileSync } from "node:fs";
import { makeBridge, removeBridge } from "../../../../src/host/linux/network/bridge.ts";
import { setPacketRules } from "../../../../src/host/linux/network/packet-rules.ts";
import { hostBridgeOf } from "../../../../src/network/bridge/host-bridge.ts";
import { formatPacketRules, formatRemoval } from "../../../../src/network/bridge/packet-rules.ts";
import { parseNetworkText } from "../../../../src/network/document.ts";

const UUID = "81ff0d90-c91e-6742-64da-4a736edb9acb";
const [GUEST, HOST, HOST_OUTSIDE, WORLD] = ["10.8.0.7", "10.8.0.1", "192.0.2.1", "192.0.2.9"];
const PORT = 7777;
const run = (...words: readonly string[]): unknown => Bun.spawnSync([...words]);
const inside = (name: string, ...words: readonly string[]): unknown =>
  run("ip", "netns", "exec", name, ...words);

/** Listens in a namespace, and answers each connection with the address that it comes from. */
const ANSWER = `Bun.listen({ hostname: "0.0.0.0", port: ${PORT}, socket: { data() {}, open(to) { to.end(to.remoteAddress); } } }); console.log("ready");`;
/** Connects to an address and prints the answer. */
const ASK = `const no = setTimeout(() => { console.log("nothing"); process.exit(); }, 3000);
const socket = { data(_, bytes) { console.log(bytes.toString()); process.exit(); }, connectError() { console.log("refused"); process.exit(); } };
Bun.connect({ hostname: process.argv.at(-1), port: ${PORT}, socket }).catch(() => {});`;

async function listen(prefix: readonly string[]): Promise<Bun.Subprocess<"ignore", "pipe", "inherit">> {
  const server = Bun.spawn([...prefix, process.execPath, "-e", ANSWER], { stdin: "ignore", stdout: "pipe" });
  await server.stdout.getReader().read();
  return server;
}

function ask(from: string, to: string): string {
  const words = ["ip", "netns", "exec", from, process.execPath, "-e", ASK, to];
  return Bun.spawnSync(words).stdout.toString().trim();
}

/** Counts datagrams that have reached the guest, where no program takes them. proc_net(5) */
function countDatagrams(): number {
  const text = Bun.spawnSync(["ip", "netns", "exec", "guest", "cat", "/proc/net/snmp"]).stdout.toString();
  const [names = [], values = []] = text
    .split("\n")
    .filter((line) => line.startsWith("Udp: "))
    .map((line) => line.split(" "));
  return Number(values[names.indexOf("NoPorts")]);
}

/** Sends a datagram from the world to the guest, and reports whether it arrives. */
async function reachesGuest(): Promise<boolean> {
  const before = countDatagrams();
  inside("world", "bash", "-c", `echo x >/dev/udp/${GUEST}/${PORT}`);
  await Bun.sleep(200);
  return countDatagrams() > before;
}

run("mount", "-t", "tmpfs", "tmpfs", "/run");
for (const [name, link, address, gateway] of [
  ["guest", "tap", `${GUEST}/24`, HOST],
  ["world", "eth0", `${WORLD}/24`, HOST_OUTSIDE],
] as const) {
  run("ip", "netns", "add", name);
  run("ip", "link", "add", link, "type", "veth", "peer", "name", "card", "netns", name);
  run("ip", "link", "set", link, "up");
  inside(name, "ip", "link", "set", "card", "up");
  inside(name, "ip", "addr", "add", address, "dev", "card");
  inside(name, "ip", "route", "add", "default", "via", gateway);
}
run("ip", "addr", "add", `${HOST_OUTSIDE}/24`, "dev", "eth0");
run("ip", "link", "set", "lo", "up");
writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
const servers = await Promise.all([
  listen(["ip", "netns", "exec", "world"]),
  listen(["ip", "netns", "exec", "guest"]),
  listen([]),
]);

const facts = new Map<string, object>();
const modes = existsSync("/usr/sbin/nft") ? ["none", "open", "nat", "route"] : ["open"];
for (const mode of modes) {
  const network = parseNetworkText(
    `<network><name>lan</name><forward mode='${mode}'/><bridge name='virbr0' stp='off'/><mac address='52:54:00:00:00:01'/><ip address='${HOST}' prefix='24'/></network>`,
  );
  const bridge = hostBridgeOf(network);
  if (bridge === undefined) throw new Error("the network has no bridge");
  const rules = formatPacketRules(network, UUID);
  if (rules !== undefined) await setPacketRules(rules);
  makeBridge(bridge);
  run("ip", "link", "set", "tap", "master", "virbr0");
  facts.set(mode, {
    guestToHost: ask("guest", HOST),
    guestToWorld: ask("guest", WORLD),
    worldToGuest: ask("world", GUEST),
    datagramToGuest: await reachesGuest(),
  });
  removeBridge(bridge);
  if (rules !== undefined) await setPacketRules(formatRemoval(UUID));
}
for (const server of servers) server.kill();
const left = existsSync("/usr/sbin/nft")
  ? Bun.spawnSync(["/usr/sbin/nft", "list", "tables"]).stdout.toString()
  : "";
process.stdout.write(JSON.stringify({ ...Object.fromEntries(facts), left }));

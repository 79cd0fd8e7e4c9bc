// Program for bridges.test.ts, in a separate network namespace: a network with DHCP and DNS, and a guest that
// asks both. Prints their answers as JSON.
import { Resolver } from "node:dns/promises";
import { chmodSync, mkdtempSync, statSync } from "node:fs";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";
import { makeBridge, removeBridge } from "../../../../src/host/linux/network/bridge.ts";
import { hostBridgeOf } from "../../../../src/network/bridge/host-bridge.ts";
import { formatNetwork, parseNetworkText } from "../../../../src/network/document.ts";
import { parseLeases } from "../../../../src/network/server/leases.ts";
import { SYSTEM_PATHS } from "../../../../src/plan/paths.ts";
import type { Step } from "../../../../src/plan/steps/step.ts";
import { ClaimRegistry } from "../../../../src/registry/claims.ts";
import { NO_OBSERVER, runPlan } from "../../../../src/run/steps/run-plan.ts";
import {
  endServerStep,
  isServerRunning,
  readLeases,
  refreshSteps,
  serverStep,
  testSteps,
} from "../../../../src/state/networks/network-server.ts";

const UUID = "81ff0d90-c91e-6742-64da-4a736edb9acb";
const run = (...words: readonly string[]): string => Bun.spawnSync([...words]).stdout.toString();
const networkWith = (mode: string, hosts: string, names: string) =>
  parseNetworkText(
    `<network><name>lan</name>${mode}<bridge name='virbr0' stp='off'/><mac address='52:54:00:00:00:01'/>` +
      `<dns><host ip='10.8.0.50'><hostname>printer</hostname>${names}</host></dns>` +
      `<ip address='10.8.0.1' prefix='24'><dhcp><range start='10.8.0.100' end='10.8.0.120'/>${hosts}</dhcp></ip></network>`,
  );
const OPEN = "<forward mode='open'/>";

run("mount", "-t", "tmpfs", "tmpfs", "/run");
const folder = mkdtempSync("/tmp/svirt-server-");
chmodSync(folder, 0o755);
const instance = { host: makeLinuxHost(), paths: { ...SYSTEM_PATHS, run: `${folder}/svirt` } };
const actor = {
  host: instance.host,
  registry: new ClaimRegistry(instance.host, instance.paths.state),
  owner: UUID,
  uid: 0,
};
const take = async (...steps: readonly Step[]): Promise<void> => await runPlan(actor, steps, NO_OBSERVER);
run("ip", "link", "set", "lo", "up");
const network = networkWith(OPEN, "", "");
const bridge = hostBridgeOf(network);
if (bridge === undefined) throw new Error("the network has no bridge");
makeBridge(bridge);
run("ip", "netns", "add", "guest");
run("ip", "link", "add", "tap", "type", "veth", "peer", "name", "card", "netns", "guest");
run("ip", "link", "set", "tap", "master", "virbr0", "up");
run("ip", "-n", "guest", "link", "set", "card", "address", "52:54:00:00:00:77", "up");
run("ip", "-n", "guest", "route", "add", "255.255.255.255", "dev", "card");

const ask = (...identifier: readonly string[]): string => {
  const program = new URL("ask-dhcp.ts", import.meta.url).pathname;
  return run("ip", "netns", "exec", "guest", process.execPath, program, ...identifier);
};
const lookUp = async (name: string): Promise<string> => {
  const resolver = new Resolver();
  resolver.setServers(["10.8.0.1"]);
  return await resolver.resolve4(name).then(
    ([address]) => address ?? "",
    () => "unknown",
  );
};

await take(serverStep(instance, { network, uuid: UUID }));
const first = ask();
// Identifiers that the guest invents bring it no further lease.
const invented = ["one", "two"].map((identifier) => ask(identifier) === first);
const now = Date.now() / 1000;
const leases = parseLeases(readLeases(instance, UUID), network, now).map(({ expiresAt, ...lease }) => ({
  ...lease,
  isLater: expiresAt > now,
}));
const names = [await lookUp("printer"), await lookUp("scanner")];
const user = statSync(`/proc/${run("cat", `${folder}/svirt-networks/${UUID}/pid`).trim()}`).uid;
const testOf = async (name: string): Promise<string> => {
  const dns = `<dns><txt name='${name}' value='a'/><host `;
  const xml = formatNetwork(network).replace(/<dns>\s*<host /, dns);
  try {
    await take(...testSteps(instance, { network: parseNetworkText(xml), uuid: UUID }));
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
};
const tests = [
  await testOf("x".repeat(63)),
  await testOf("x".repeat(64)),
  String(isServerRunning(instance, UUID)),
];
const updated = networkWith(
  "",
  "<host mac='52:54:00:00:00:77' name='web' ip='10.8.0.7'/>",
  "<hostname>scanner</hostname>",
);
await take(...refreshSteps(instance, { network: updated, uuid: UUID }));
const second = ask();
const namesAfter = [await lookUp("printer"), await lookUp("scanner")];
const isRunning = isServerRunning(instance, UUID);
await take(endServerStep(instance, { name: network.name, uuid: UUID }));
const isRunningAfter = isServerRunning(instance, UUID);
removeBridge(bridge);
process.stdout.write(
  JSON.stringify({
    first,
    invented,
    leases,
    names,
    isRoot: user === 0,
    tests,
    second,
    namesAfter,
    isRunning,
    isRunningAfter,
    left: run("ls", `${folder}/svirt-networks`),
  }),
);
run("rm", "-r", folder);

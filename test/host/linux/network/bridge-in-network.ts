// Program for bridges.test.ts, in a separate network namespace. Prints the states of bridges as JSON.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { asSvirtError } from "../../../../src/errors.ts";
import { makeBridge, removeBridge } from "../../../../src/host/linux/network/bridge.ts";
import type { HostBridge } from "../../../../src/network/bridge/host-bridge.ts";

const run = (...words: readonly string[]): string => Bun.spawnSync([...words]).stdout.toString();
const read = (path: string): string => readFileSync(path, "utf8").trim();
const ofLink = (path: string): string => read(`/sys/class/net/${path}`);
const isThere = (name: string): boolean => existsSync(`/sys/class/net/${name}`);
const said = (act: () => unknown): string => {
  try {
    act();
    return "";
  } catch (error) {
    return asSvirtError(error).message;
  }
};
const bridge = (name: string, last: string, more: Partial<HostBridge> = {}): HostBridge => ({
  name,
  mac: `52:54:00:00:00:${last}`,
  stp: true,
  delaySeconds: 0,
  addresses: [],
  routes: [],
  isIsolated: true,
  ...more,
});
const addresses = (family: "-4" | "-6", name: string): readonly string[] =>
  [...run("ip", family, "-o", "addr", "show", name).matchAll(/inet6? (\S+(?: brd \S+)? scope \w+)/g)].map(
    ([, text]) => text ?? "",
  );
const rulesOf = (name: string): readonly string[] =>
  ["-4", "-6"].flatMap((family) =>
    run("ip", family, "rule")
      .split("\n")
      .filter((line) => line.includes(name))
      .map((line) => line.replace(/\s+/g, " ").trim()),
  );
const ipv6Of = (name: string): readonly string[] =>
  ["disable_ipv6", "accept_ra", "autoconf"].map((key) => read(`/proc/sys/net/ipv6/conf/${name}/${key}`));

run("ip", "link", "set", "lo", "up");
makeBridge(bridge("virbr0", "01"));
const plain = {
  address: ofLink("virbr0/address"),
  stp: ofLink("virbr0/bridge/stp_state"),
  // The kernel raises the delay of a running protocol to its minimum. br_stp_start() in
  // net/bridge/br_stp_if.c
  delay: ofLink("virbr0/bridge/forward_delay"),
  isUp: (Number(ofLink("virbr0/flags")) & 1) === 1,
  ipv6: ipv6Of("virbr0"),
  rules: rulesOf("virbr0"),
  addresses: [...addresses("-4", "virbr0"), ...addresses("-6", "virbr0")],
};
const twice = said(() => makeBridge(bridge("virbr0", "02")));
makeBridge(
  bridge("lan", "03", {
    mtu: 1400,
    stp: false,
    delaySeconds: 4,
    addresses: [
      { address: "10.9.0.1", prefix: 24 },
      { address: "fd00:9::1", prefix: 64 },
    ],
    routes: [
      { address: "10.10.0.0", prefix: 16, gateway: "10.9.0.7", metric: 1 },
      { address: "fd00:a::", prefix: 48, gateway: "fd00:9::7", metric: 5 },
    ],
    isIsolated: false,
  }),
);
run("ip", "link", "add", "port", "mtu", "1300", "type", "veth", "peer", "name", "other");
run("ip", "link", "set", "port", "master", "lan");
const full = {
  mtu: ofLink("lan/mtu"),
  stp: ofLink("lan/bridge/stp_state"),
  delay: ofLink("lan/bridge/forward_delay"),
  ipv6: ipv6Of("lan"),
  rules: rulesOf("lan"),
  ipv4Addresses: addresses("-4", "lan"),
  ipv6Addresses: addresses("-6", "lan").filter((text) => text.includes("global")),
  ipv4Route: run("ip", "route", "show", "10.10.0.0/16")
    .trim()
    .replace(/ (?:dead|linkdown)/g, ""),
  ipv6Route: run("ip", "-6", "route", "show", "fd00:a::/48")
    .trim()
    .replace(/ (?:dead|linkdown|pref medium)/g, ""),
};

// The kernel's decision about a packet of a guest: ip-route(8), get.
for (const path of ["ipv4/ip_forward", "ipv6/conf/all/forwarding"])
  writeFileSync(`/proc/sys/net/${path}`, "1");
const isolatedAddresses = [
  { address: "10.8.0.1", prefix: 24 },
  { address: "fd00:8::1", prefix: 64 },
];
// An address is not the host's before its uniqueness has been tested, which needs a port with a carrier.
writeFileSync("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
makeBridge(bridge("alone", "06", { addresses: isolatedAddresses }));
run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far");
run("ip", "link", "set", "near", "master", "alone", "up");
run("ip", "link", "set", "far", "up");
run("ip", "link", "set", "other", "up");
run("ip", "address", "add", "192.0.2.1/24", "dev", "other");
run("ip", "address", "add", "2001:db8::1/64", "dev", "other", "nodad");
run("ip", "link", "set", "port", "up");
const decide = (to: string, from: string, device: string): string =>
  Bun.spawnSync(["ip", "route", "get", to, "from", from, "iif", device])
    .stdout.toString()
    .split("\n")[0]
    ?.trim() || "dropped";
const decisions = {
  lanToOther: decide("192.0.2.9", "10.9.0.7", "lan"),
  aloneToOther: decide("192.0.2.9", "10.8.0.7", "alone"),
  aloneToLan: decide("10.9.0.7", "10.8.0.7", "alone"),
  aloneToHost: decide("10.8.0.1", "10.8.0.7", "alone"),
  lanToOther6: decide("2001:db8::9", "fd00:9::7", "lan"),
  aloneToOther6: decide("2001:db8::9", "fd00:8::7", "alone"),
  aloneToHost6: decide("fd00:8::1", "fd00:8::7", "alone"),
};
removeBridge(bridge("alone", "06"));
const badRoute = said(() =>
  makeBridge(
    bridge("bad", "05", { routes: [{ address: "10.11.0.0", prefix: 16, gateway: "10.12.0.1", metric: 1 }] }),
  ),
);
const isBadThere = isThere("bad");
removeBridge(bridge("bad", "05"));
run("ip", "link", "add", "virbr9", "address", "52:54:00:00:00:09", "type", "bridge");
removeBridge({ name: "virbr9", mac: "52:54:00:00:00:09" });
removeBridge({ name: "virbr0", mac: "52:54:00:00:00:02" });
const kept = ["virbr9", "virbr0", "bad"].map(isThere);
removeBridge(bridge("virbr0", "01"));
removeBridge(bridge("lan", "03"));
const again = said(() => removeBridge(bridge("lan", "03")));
process.stdout.write(
  JSON.stringify({
    plain,
    twice,
    full,
    decisions,
    badRoute,
    isBadThere,
    kept,
    again,
    left: readdirSync("/sys/class/net").sort(),
    rulesLeft: [...rulesOf("virbr0"), ...rulesOf("bad")],
  }),
);

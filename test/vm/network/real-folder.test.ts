import { expect, test } from "bun:test";
import { lstatSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { markNetwork } from "../../../src/vm/network/autostart-network.ts";
import { defineNetwork, undefineNetwork } from "../../../src/vm/network/define-network.ts";
import { selectNetworks } from "../../../src/vm/network/network-list.ts";
import { destroyNetwork, startNetwork } from "../../../src/vm/network/start-network.ts";
import { RealFolder } from "../../real-host/folder.ts";
import { givenNode } from "../../real-host/given-node.ts";
import { BRIDGE, LAN_UUID, networkXml } from "../../scenes/networks.ts";

test("a network is kept in files of the real host, which only their owner may read", async () => {
  using folder = new RealFolder();
  const { path } = folder;
  const node = givenNode(path, "s0");
  // An earlier svirt was killed while it wrote.
  await defineNetwork(node, networkXml(BRIDGE, "other"));
  writeFileSync(`${path}/etc/networks/lan.xml.new`, "half");
  await defineNetwork(node, networkXml(BRIDGE, "lan", LAN_UUID));
  await markNetwork(node, LAN_UUID, true);
  await startNetwork(node, "lan");
  const active = readFileSync(`${path}/run/networks/lan.xml`, "utf8");
  expect(active).toBe(readFileSync(`${path}/etc/networks/lan.xml`, "utf8"));
  for (const file of ["etc/networks/lan.xml", "run/networks/lan.xml"])
    expect([file, lstatSync(`${path}/${file}`).mode & 0o777]).toEqual([file, 0o600]);
  for (const name of ["etc/networks", "etc/networks/autostart", "run/networks"])
    expect([name, lstatSync(`${path}/${name}`).mode & 0o777]).toEqual([name, 0o700]);
  expect(readlinkSync(`${path}/etc/networks/autostart/lan.xml`)).toBe("../lan.xml");
  expect(selectNetworks(node, { autostart: true }, { wantsUuids: true })).toEqual([
    { name: "lan", uuid: LAN_UUID, isActive: true, isAutostarted: true, isPersistent: true },
  ]);
  await undefineNetwork(node, "lan");
  await destroyNetwork(node, "lan");
  expect(selectNetworks(node, {}, { wantsUuids: false }).map(({ name }) => name)).toEqual(["other"]);
});

test("of many definitions at once by the real lock, each bridge has one network", async () => {
  using folder = new RealFolder();
  const { path } = folder;
  const node = givenNode(path, "s0");
  await Promise.all(
    Array.from({ length: 8 }, (_, at) => defineNetwork(node, networkXml("<bridge name='lab%d'/>", `n${at}`))),
  );
  const texts = Array.from({ length: 8 }, (_, at) => readFileSync(`${path}/etc/networks/n${at}.xml`, "utf8"));
  const bridges = texts.map((text) => /<bridge name='([^']*)'/.exec(text)?.[1] ?? "");
  expect(new Set(bridges).size).toBe(8);
});

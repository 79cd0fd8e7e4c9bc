import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { defineNetwork } from "../../../src/vm/network/define-network.ts";
import { getPortXml, listPortUuids } from "../../../src/vm/network/network-ports.ts";
import { createNetwork } from "../../../src/vm/network/start-network.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { recordOf } from "../../scenes/hotplug.ts";
import { BRIDGE, networkXml } from "../../scenes/networks.ts";
import { domainXml, errorOf, makeMachine, nodeOn, OTHER, reapAll, UUID } from "../../scenes/scene.ts";

const LIMITED = "<bandwidth><inbound average='1000' burst='128'/></bandwidth>";
const card = (source: string, last: string, more = ""): string =>
  `<interface type='network'><mac address='52:54:00:00:00:${last}'/><source ${source}/>${more}<model type='virtio'/></interface>`;

async function running(): Promise<Machine> {
  const machine = makeMachine();
  for (const name of ["br0", "eth0"]) machine.taps.addBridge(name);
  await createNetwork(nodeOn(machine), networkXml(`${BRIDGE}<portgroup name='web'>${LIMITED}</portgroup>`));
  await createNetwork(nodeOn(machine), networkXml("<forward mode='vepa' dev='eth0'/>", "wan"));
  const devices =
    card("network='lan' portgroup='web'", "01", "<vlan><tag id='42'/></vlan><port isolated='yes'/>") +
    card("network='wan'", "02") +
    card("network='lan'", "03");
  await startDomain(nodeOn(machine), domainXml({ devices }));
  return machine;
}

/** Returns the ids of the ports in the guest's XML, in its order. */
function idsIn(machine: Machine): readonly string[] {
  return [...recordOf(machine).xml.matchAll(/portid='([^']*)'/g)].map(([, id]) => id ?? "");
}

describe("ports of a network", () => {
  test("are the interfaces of running guests on it", async () => {
    const machine = await running();
    const [first = "", second = "", third = ""] = idsIn(machine);
    expect(listPortUuids(nodeOn(machine), "lan")).toEqual([first, third]);
    expect(listPortUuids(nodeOn(machine), "wan")).toEqual([second]);
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(listPortUuids(nodeOn(machine), "lan")).toEqual([]);
  });

  // virNetworkPortDefFormatBuf() of libvirt; tests/virnetworkportxml2xmldata/plug-bridge.xml and
  // plug-direct.xml
  test("have libvirt's XML", async () => {
    const machine = await running();
    const [first = "", second = ""] = idsIn(machine);
    const owner = `  <owner>\n    <name>vm1</name>\n    <uuid>${UUID}</uuid>\n  </owner>\n`;
    expect(getPortXml(nodeOn(machine), "lan", first)).toEqual({
      uuid: first,
      xml:
        `<networkport>\n  <uuid>${first}</uuid>\n${owner}  <group>web</group>\n` +
        "  <mac address='52:54:00:00:00:01'/>\n  <bandwidth>\n    <inbound average='1000' burst='128'/>\n  </bandwidth>\n  <vlan>\n    <tag id='42'/>\n  </vlan>\n  <port isolated='yes'/>\n" +
        "  <plug type='bridge' bridge='br0'/>\n</networkport>\n",
    });
    expect(getPortXml(nodeOn(machine), "wan", second.toUpperCase()).xml).toBe(
      `<networkport>\n  <uuid>${second}</uuid>\n${owner}  <mac address='52:54:00:00:00:02'/>\n` +
        "  <plug type='direct' dev='eth0' mode='vepa'/>\n</networkport>\n",
    );
  });

  test("are not found by another name, or on another network", async () => {
    const machine = await running();
    const [first = ""] = idsIn(machine);
    for (const [network, port] of [
      ["wan", first],
      ["lan", OTHER],
      ["lan", "x"],
      ["lan", ""],
    ] as const) {
      const error = await errorOf(Promise.try(() => getPortXml(nodeOn(machine), network, port)));
      expect([error.kind, error.libvirt.name, error.message]).toEqual([
        "not-found",
        "VIR_ERR_NO_NETWORK_PORT",
        `failed to get network port '${port}'`,
      ]);
    }
  });

  // networkPortLookupByUUID() of libvirt
  test("are those of an active network alone", async () => {
    const machine = makeMachine();
    await defineNetwork(nodeOn(machine), networkXml(BRIDGE));
    // networkListAllPorts() of libvirt, and networkPortLookupByUUID(), which looks for a port all the same.
    for (const [ask, kind, message] of [
      [listPortUuids, "wrong-state", "Requested operation is not valid: network 'lan' is not active"],
      [getPortXml, "not-found", `failed to get network port '${OTHER}'`],
    ] as const) {
      const error = await errorOf(Promise.try<unknown, []>(() => ask(nodeOn(machine), "lan", OTHER)));
      expect([error.kind, error.message]).toEqual([kind, message]);
    }
  });
});

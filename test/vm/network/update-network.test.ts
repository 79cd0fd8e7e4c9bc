import { describe, expect, test } from "bun:test";
import { defineNetwork } from "../../../src/vm/network/define-network.ts";
import { createNetwork } from "../../../src/vm/network/start-network.ts";
import { updateStoredNetwork } from "../../../src/vm/network/update-network.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { BOTH, having, POOL, started, update, WEB } from "../../scenes/network-updates.ts";
import { networkXml } from "../../scenes/networks.ts";
import { domainXml, errorOf, makeMachine, nodeOn } from "../../scenes/scene.ts";

const NAT = "<forward/><ip address='10.0.0.1' prefix='24'/>";
const CARD =
  "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/><model type='virtio'/></interface>";

const ETH1 = update("forward-interface", "<interface dev='eth1'/>");

async function defined(content = POOL): Promise<Machine> {
  const machine = makeMachine();
  await defineNetwork(nodeOn(machine), networkXml(content));
  return machine;
}

describe("updateStoredNetwork()", () => {
  test.each([
    [{ live: true }, ["active"]],
    [{ config: true }, ["defined"]],
    [BOTH, ["active", "defined"]],
    [{}, ["active"]],
    [{ current: true }, ["active"]],
  ])("of an active network with %j changes %j", async (options, documents) => {
    for (const [asked, text] of [
      [ETH1, "<interface dev='eth1'/>"],
      [WEB, "<portgroup name='web'>"],
    ] as const) {
      const machine = await started();
      const result = await updateStoredNetwork(nodeOn(machine), "lan", { options, update: asked });
      expect(having(machine, text)).toEqual(documents);
      expect([result.live, result.config]).toEqual([
        documents.includes("active"),
        documents.includes("defined"),
      ]);
      expect(machine.files.find("/run/svirt/network-update.json")).toBeUndefined();
    }
  });

  test.each([{}, { current: true }, { config: true }])(
    "of an inactive network with %j changes the definition, of any section",
    async (options) => {
      for (const [asked, text] of [
        [update("dns-host", "<host ip='10.0.0.7'><hostname>a</hostname></host>"), "<hostname>a</hostname>"],
        [update("dns-txt", "<txt name='a' value='b'/>"), "<txt name='a' value='b'/>"],
        [update("dns-srv", "<srv service='s' protocol='tcp'/>"), "<srv service='s' protocol='tcp'/>"],
        [update("ip-dhcp-range", "<range start='10.0.0.2' end='10.0.0.9'/>"), "<range start='10.0.0.2'"],
        [update("ip-dhcp-host", "<host name='a' ip='10.0.0.3'/>"), "<host name='a' ip='10.0.0.3'/>"],
      ] as const) {
        const machine = await defined(NAT);
        await updateStoredNetwork(nodeOn(machine), "lan", { options, update: asked });
        expect(having(machine, text)).toEqual(["defined"]);
      }
    },
  );

  test("gives a guest that starts later the new device", async () => {
    const machine = await started();
    await startDomain(nodeOn(machine), domainXml({ devices: CARD }));
    const second = domainXml({
      name: "vm2",
      uuid: "99999999-2222-4333-8444-000000000009",
      devices: CARD.replace("00:01", "00:02"),
    });
    expect((await errorOf(startDomain(nodeOn(machine), second))).message).toContain("none are available");
    await updateStoredNetwork(nodeOn(machine), "lan", { options: {}, update: ETH1 });
    await startDomain(nodeOn(machine), second);
  });

  test("removes no device that a guest uses from the active network, but from the definition", async () => {
    const machine = await started();
    await updateStoredNetwork(nodeOn(machine), "lan", { options: BOTH, update: ETH1 });
    await startDomain(nodeOn(machine), domainXml({ devices: CARD }));
    const remove = update("forward-interface", "<interface dev='eth0'/>", "delete");
    const before = snapshot(machine);
    const error = await errorOf(
      updateStoredNetwork(nodeOn(machine), "lan", { options: BOTH, update: remove }),
    );
    expect([error.kind, error.message]).toEqual([
      "wrong-state",
      "Requested operation is not valid: unable to delete interface 'eth0' in network 'lan'. It is currently being used by 1 domains.",
    ]);
    expect(snapshot(machine)).toEqual(before);
    await updateStoredNetwork(nodeOn(machine), "lan", { options: { config: true }, update: remove });
    expect(having(machine, "<interface dev='eth0'/>")).toEqual(["active"]);
  });

  test.each([
    ["dns-host", "<host ip='10.0.0.7'><hostname>a</hostname></host>"],
    ["dns-txt", "<txt name='a' value='b'/>"],
    ["dns-srv", "<srv service='s' protocol='tcp'/>"],
    ["ip-dhcp-range", "<range start='10.0.0.2' end='10.0.0.9'/>"],
    ["ip-dhcp-host", "<host name='a' ip='10.0.0.3'/>"],
  ] as const)("refuses %s of an active network, which has no server", async (section, entry) => {
    const machine = await started();
    const before = snapshot(machine);
    for (const options of [{}, { live: true }, BOTH]) {
      const asked = { options, update: update(section, entry) };
      const error = await errorOf(updateStoredNetwork(nodeOn(machine), "lan", asked));
      expect([error.kind, error.message]).toEqual([
        "unsupported",
        `Cannot update the section ${section} of the active network 'lan': a network of mode passthrough has no DHCP or DNS server`,
      ]);
    }
    expect(snapshot(machine)).toEqual(before);
  });

  test.each([
    ["a group that a start refuses", "<portgroup name='a' trustGuestRxFilters='yes'/>", {}],
    [
      "a group that no definition has",
      "<portgroup name='a'><vlan><tag id='7'/></vlan><virtualport type='midonet'/></portgroup>",
      BOTH,
    ],
  ] as const)("refuses %s, and changes nothing", async (_, entry, options) => {
    const machine = await started();
    const before = snapshot(machine);
    const error = await errorOf(
      updateStoredNetwork(nodeOn(machine), "lan", { options, update: update("portgroup", entry) }),
    );
    expect(["unsupported", "xml"]).toContain(error.kind);
    expect(error.place).toStartWith("/network/portgroup");
    expect(error.message).not.toContain("start");
    expect(snapshot(machine)).toEqual(before);
  });

  // virNetworkObjConfigChangeSetup() of libvirt
  test("refuses the live state of an inactive network and the definition of a transient one", async () => {
    const inactive = await defined();
    const live = await errorOf(
      updateStoredNetwork(nodeOn(inactive), "lan", { options: { live: true }, update: WEB }),
    );
    expect([live.kind, live.message]).toEqual([
      "wrong-state",
      "Requested operation is not valid: network is not running",
    ]);
    const transient = makeMachine();
    await createNetwork(nodeOn(transient), networkXml(POOL));
    const config = await errorOf(
      updateStoredNetwork(nodeOn(transient), "lan", { options: { config: true }, update: WEB }),
    );
    expect(config.message).toBe(
      "Requested operation is not valid: cannot change persistent config of a transient network",
    );
    await updateStoredNetwork(nodeOn(transient), "lan", { options: {}, update: WEB });
    expect(having(transient, "web")).toEqual(["active"]);
  });

  test("changes neither if one refuses", async () => {
    const machine = await started();
    await updateStoredNetwork(nodeOn(machine), "lan", { options: { config: true }, update: WEB });
    const before = snapshot(machine);
    const error = await errorOf(updateStoredNetwork(nodeOn(machine), "lan", { options: BOTH, update: WEB }));
    expect(error.message).toContain("there is an existing portgroup entry");
    expect(snapshot(machine)).toEqual(before);
  });
});

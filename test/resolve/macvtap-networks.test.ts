import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../src/state/definitions.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice } from "../../src/vm/hotplug/change-devices.ts";
import { createNetwork, destroyNetwork } from "../../src/vm/network/start-network.ts";
import { getDomainXml } from "../../src/vm/query/domain-xml.ts";
import { listInterfaces } from "../../src/vm/query/interface-list.ts";
import { readSaveImage } from "../../src/vm/save/save-image.ts";
import { planDomainStart, startDefinition } from "../../src/vm/start/start.ts";
import { snapshot } from "../memory-host/machine.ts";
import { deviceOf } from "../scenes/hotplug.ts";
import {
  card,
  devicesOf,
  mac,
  machineWith,
  NONE_FREE,
  networkOf,
  pool,
  start,
  xmlOf,
} from "../scenes/macvtaps.ts";
import { BRIDGE, networkXml } from "../scenes/networks.ts";
import { FILE, restored, save } from "../scenes/saving.ts";
import { domainXml, errorOf, nodeOn, reapAll } from "../scenes/scene.ts";

const ASK = { key: "vm1", options: { live: true }, isDryRun: false };

describe("an interface on a network of devices", () => {
  // virDomainActualNetDefContentsFormat() of libvirt, and the group of type direct in domaincommon.rng
  test.each(["bridge", "private", "vepa", "passthrough"])(
    "of mode %s is a macvtap on a device, and the live XML has libvirt's form",
    async (mode) => {
      const machine = await machineWith(pool(mode, "eth0"));
      await start(machine, card("01"));
      expect(await xmlOf(machine)).toMatch(
        new RegExp(
          `<interface type='direct'>\\n {6}<mac address='${mac("01")}'/>\\n {6}<source network='lan' portid='[0-9a-f-]{36}' dev='eth0' mode='${mode}'/>\\n {6}<target dev='macvtap0'/>`,
        ),
      );
      expect(listInterfaces(nodeOn(machine), "vm1", "running")).toEqual([
        { interface: "macvtap0", type: "direct", source: "lan", model: "virtio", mac: mac("01") },
      ]);
    },
  );

  test("may name the only device by dev alone, and a port group of the network", async () => {
    const machine = await machineWith("<forward mode='vepa' dev='eth1'/><portgroup name='web'/>");
    await start(machine, card("01").replace("'lan'", "'lan' portgroup='web'"));
    expect(await xmlOf(machine)).toMatch(
      /<source network='lan' portgroup='web' portid='[0-9a-f-]{36}' dev='eth1' mode='vepa'\/>/,
    );
  });

  test("is on its network alone in the definition, the inactive XML and a saved state", async () => {
    const machine = await machineWith(pool("private", "eth0"));
    const node = nodeOn(machine);
    await defineDomain(node, domainXml({ devices: card("01") }));
    const definition = readDefinition(node, "vm1");
    if (definition === undefined) throw new Error("vm1 is not defined");
    await startDefinition(node, definition);
    const live = await xmlOf(machine);
    expect((await getDomainXml(node, "vm1", "defined")).xml).toContain("<source network='lan'/>");
    await defineDomain(node, new TextEncoder().encode(live));
    expect(readDefinition(node, "vm1")?.xml).toContain(
      "<interface type='network'>\n      <mac address='52:54:00:00:00:01'/>\n      <source network='lan'/>",
    );
  });

  test("is restored with the link that its network has by then: a bridge, under a new name", async () => {
    const machine = await machineWith(pool("private", "eth0"));
    await start(machine, card("01"));
    await save(machine);
    expect(readSaveImage(nodeOn(machine), FILE).xml).toContain("<source network='lan'/>");
    await destroyNetwork(nodeOn(machine), "lan");
    machine.taps.addBridge("br0");
    await createNetwork(nodeOn(machine), networkXml(BRIDGE));
    await restored(machine);
    expect(await xmlOf(machine)).toMatch(
      /<source network='lan' portid='[^']*' bridge='br0'\/>\n {6}<target dev='vnet0'\/>/,
    );
  });

  test.each([
    ["<port isolated='yes'/>", "/domain/devices/interface[1]/port"],
    ["<vlan><tag id='7'/></vlan>", "/domain/devices/interface[1]/vlan"],
    ["<mtu size='1400'/>", "/domain/devices/interface[1]/mtu"],
  ])("with %s is refused by its place, as one of type direct", async (more, place) => {
    const machine = await machineWith(pool("private", "eth0"));
    const before = snapshot(machine);
    const error = await errorOf(start(machine, card("01", more)));
    expect([error.kind, error.place]).toEqual(["unsupported", place]);
    expect(snapshot(machine)).toEqual(before);
  });
});

// networkAllocatePort() of libvirt
describe("the device of an interface", () => {
  test("is the one with the fewest interfaces, the first of several, within a guest and among guests", async () => {
    const machine = await machineWith(pool("bridge", "eth0", "eth1"));
    await start(machine, card("01") + card("02") + card("03"));
    expect(await devicesOf(machine)).toEqual(["eth0", "eth1", "eth0"]);
    await start(machine, card("04") + card("05"), "vm2");
    expect(await devicesOf(machine, "vm2")).toEqual(["eth1", "eth0"]);
    expect(await networkOf(machine)).toContain("<network connections='5'>");
    expect(await networkOf(machine)).toContain("<interface dev='eth0' connections='3'/>");
    expect(await networkOf(machine)).toContain("<interface dev='eth1' connections='2'/>");
  });

  test("is free again after the end of its guest", async () => {
    const machine = await machineWith(pool("passthrough", "eth0"));
    await start(machine, card("01"));
    const error = await errorOf(start(machine, card("02"), "vm2"));
    expect([error.kind, error.place, error.message]).toEqual([
      "in-use",
      "/domain/devices/interface[1]/source/@network",
      `${NONE_FREE} (/domain/devices/interface[1]/source/@network)`,
    ]);
    expect(error.libvirt.name).toBe("VIR_ERR_INTERNAL_ERROR");
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(await networkOf(machine)).not.toContain("connections");
    await start(machine, card("02"), "vm2");
    expect(await devicesOf(machine, "vm2")).toEqual(["eth0"]);
  });

  test("is exclusive in mode passthrough for each interface of one guest, too", async () => {
    const machine = await machineWith(pool("passthrough", "eth0", "eth1"));
    const before = snapshot(machine);
    expect((await errorOf(start(machine, card("01") + card("02") + card("03")))).message).toContain(
      NONE_FREE,
    );
    expect(snapshot(machine)).toEqual(before);
    await start(machine, card("01") + card("02"));
    expect(await devicesOf(machine)).toEqual(["eth0", "eth1"]);
  });

  test("is not the same for two guests that start at once", async () => {
    const machine = await machineWith(pool("passthrough", "eth0", "eth1"));
    await Promise.all([start(machine, card("01")), start(machine, card("02"), "vm2")]);
    const both = [...(await devicesOf(machine)), ...(await devicesOf(machine, "vm2"))];
    expect(both.toSorted()).toEqual(["eth0", "eth1"]);
  });

  test("is given to one of two guests that start at once, if there is only one", async () => {
    const machine = await machineWith(pool("passthrough", "eth0"));
    const done = await Promise.allSettled([start(machine, card("01")), start(machine, card("02"), "vm2")]);
    expect(done.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const [failed] = done.filter((one) => one.status === "rejected");
    expect(String(failed?.reason)).toContain(NONE_FREE);
  });

  test("is chosen when a running guest gets an interface, and free when it has released it", async () => {
    const machine = await machineWith(pool("passthrough", "eth0", "eth1"));
    await start(machine, card("01"));
    await attachDevice(nodeOn(machine), ASK, deviceOf(card("02")));
    expect(await devicesOf(machine)).toEqual(["eth0", "eth1"]);
    const error = await errorOf(attachDevice(nodeOn(machine), ASK, deviceOf(card("03"))));
    expect([error.kind, error.message]).toEqual(["in-use", expect.stringContaining(NONE_FREE)]);
    await detachDevice(nodeOn(machine), ASK, deviceOf(card("01")));
    await attachDevice(nodeOn(machine), ASK, deviceOf(card("03")));
    expect(await devicesOf(machine)).toEqual(["eth1", "eth0"]);
  });

  test("is one of two for guests that get an interface at once", async () => {
    const machine = await machineWith(pool("passthrough", "eth0", "eth1"));
    await start(machine, "");
    await start(machine, "", "vm2");
    await Promise.all([
      attachDevice(nodeOn(machine), ASK, deviceOf(card("01"))),
      attachDevice(nodeOn(machine), { ...ASK, key: "vm2" }, deviceOf(card("02"))),
    ]);
    const both = [...(await devicesOf(machine)), ...(await devicesOf(machine, "vm2"))];
    expect(both.toSorted()).toEqual(["eth0", "eth1"]);
  });

  test("is in a plan, which takes none", async () => {
    const machine = await machineWith(pool("passthrough", "eth1"));
    const before = snapshot(machine);
    const steps = await planDomainStart(nodeOn(machine), domainXml({ devices: card("01") }));
    expect(steps.find((step) => step.do === "make-macvtap")).toMatchObject({
      link: { lower: "eth1", mode: "passthrough" },
    });
    expect(snapshot(machine)).toEqual(before);
  });
});

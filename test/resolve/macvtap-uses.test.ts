import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../src/domain/document.ts";
import { formatNetwork, parseNetwork } from "../../src/network/document.ts";
import { registryLock } from "../../src/plan/paths.ts";
import { bindNetworks } from "../../src/resolve/networks.ts";
import { removeActiveNetwork, writeActiveNetwork } from "../../src/state/networks/networks.ts";
import { readRecord } from "../../src/state/record.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice } from "../../src/vm/hotplug/change-devices.ts";
import { defineNetwork } from "../../src/vm/network/define-network.ts";
import { readSaveImage } from "../../src/vm/save/save-image.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import { sampleOf } from "../sample.ts";
import { deviceOf } from "../scenes/hotplug.ts";
import {
  card,
  devicesOf,
  machineWith,
  NONE_FREE,
  networkOf,
  pool,
  start,
  xmlOf,
} from "../scenes/macvtaps.ts";
import { BRIDGE, LAN_UUID, networkXml } from "../scenes/networks.ts";
import { putPciDevices } from "../scenes/pci.ts";
import { FILE, restored, save } from "../scenes/saving.ts";
import { domainXml, errorOf, nodeOn, OTHER, reapAll, sweepAll, UUID } from "../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../scenes/strikes.ts";

const TIMEOUT_MS = 120_000;
const ASK = { key: "vm1", options: { live: true }, isDryRun: false };

test(
  "a start struck at any call leaves the device free, or with the guest that runs",
  async () => {
    const prepare = async (): Promise<Machine> => await machineWith(pool("passthrough", "eth0"));
    const work: Work = (node) => startDomain(node, domainXml({ devices: card("01") }));
    for (const strike of sampleOf(await instantsOf(prepare, work))) {
      const machine = await prepare();
      await beStruck(machine, work, strike);
      await sweepAll(machine);
      await reapAll(machine);
      const runs = machine.processes.qemuOf(UUID) !== undefined;
      const place = `${strike.moment} call ${strike.at}`;
      expect([place, (await networkOf(machine)).includes("connections")]).toEqual([place, runs]);
      if (runs) continue;
      await start(machine, card("02"), "vm2");
      expect([place, ...(await devicesOf(machine, "vm2"))]).toEqual([place, "eth0"]);
    }
  },
  TIMEOUT_MS,
);

test(
  "a card struck at any call of its attachment leaves the device free, or with the guest that has it",
  async () => {
    const prepare = async (): Promise<Machine> => {
      const machine = await machineWith(pool("passthrough", "eth0"));
      await start(machine, "");
      return machine;
    };
    const work: Work = (node) => attachDevice(node, ASK, deviceOf(card("01")));
    for (const strike of sampleOf(await instantsOf(prepare, work))) {
      const machine = await prepare();
      await beStruck(machine, work, strike);
      await sweepAll(machine);
      const has = (await devicesOf(machine)).length > 0;
      const place = `${strike.moment} call ${strike.at}`;
      expect([place, (await networkOf(machine)).includes("connections")]).toEqual([place, has]);
      expect([place, machine.files.find("/sys/class/net/macvtap0") !== undefined]).toEqual([place, has]);
      const other = start(machine, card("02"), "vm2");
      if (has) expect((await errorOf(other)).message).toContain(NONE_FREE);
      else await other;
    }
  },
  TIMEOUT_MS,
);

describe("the records that are counted", () => {
  const RECORD = `/var/lib/svirt/records/${UUID}.json`;

  /** Changes the record of the first guest. */
  function changeRecord(machine: Machine, change: (text: string) => string): void {
    const file = machine.files.get(RECORD);
    file.bytes = new TextEncoder().encode(change(new TextDecoder().decode(file.bytes)));
  }

  test("are not those of a guest from another boot", async () => {
    const machine = await machineWith(pool("passthrough", "eth0"));
    await start(machine, card("01"));
    changeRecord(machine, (text) => text.replace(/"bootId":"[^"]*"/, '"bootId":"another"'));
    expect(await networkOf(machine)).not.toContain("connections");
  });

  test.each([
    ["a damaged record", (text: string) => text.slice(1)],
    [
      "a record whose XML svirt cannot read",
      (text: string) => text.replace("<domain ", "<domain no='where' "),
    ],
  ])(
    "do not include %s: the kernel refuses the device, and nothing of the start remains",
    async (_, damage) => {
      const machine = await machineWith(pool("passthrough", "eth0", "eth1"));
      await start(machine, card("01"));
      changeRecord(machine, damage);
      const before = snapshot(machine);
      const error = await errorOf(start(machine, card("02"), "vm2"));
      expect(error.message).toContain("EINVAL");
      expect(snapshot(machine)).toEqual(before);
      // Guests without a card on the network, and commands of networks, do not depend on the record.
      await start(machine, "", "vm2");
      expect(await networkOf(machine)).not.toContain("connections");
    },
  );
});

test("bindNetworks() reads the record of each guest once for any number of cards", async () => {
  const machine = await machineWith(pool("bridge", "eth0", "eth1"));
  await start(machine, card("01"));
  const node = nodeOn(machine);
  const read: string[] = [];
  const readText: typeof node.host.readText = (path) => {
    read.push(path);
    return node.host.readText(path);
  };
  const host = { ...node.host, readText };
  const domain = parseDomain(domainXml({ uuid: OTHER, devices: card("02") + card("03") + card("04") }));
  const bound = bindNetworks({ ...node, host }, domain).devices.interfaces;
  expect(bound.map((found) => (found.type === "direct" ? found.source.dev : ""))).toEqual([
    "eth1",
    "eth0",
    "eth1",
  ]);
  expect(read.filter((path) => path.includes("/records/"))).toEqual([`/var/lib/svirt/records/${UUID}.json`]);
});

describe("the only device of a network", () => {
  const attach = async (machine: Machine, key: string, last: string): Promise<unknown> =>
    await attachDevice(nodeOn(machine), { ...ASK, key }, deviceOf(card(last)));

  /** Returns the devices of both guests. A guest that is off has none. */
  async function devicesOfBoth(machine: Machine): Promise<readonly string[]> {
    const each = ["vm1", "vm2"].map((name) => devicesOf(machine, name).catch(() => []));
    return (await Promise.all(each)).flat();
  }

  test.each([
    [
      "a start and a hot-plug",
      [""],
      [
        (machine: Machine) => attach(machine, "vm1", "01"),
        (machine: Machine) => start(machine, card("02"), "vm2"),
      ],
    ],
    [
      "two hot-plugs",
      ["", ""],
      [
        (machine: Machine) => attach(machine, "vm1", "01"),
        (machine: Machine) => attach(machine, "vm2", "02"),
      ],
    ],
  ] as const)("goes to one of %s at once, and the other one is refused", async (_, running, works) => {
    const machine = await machineWith(pool("passthrough", "eth0"));
    for (const [at, devices] of running.entries()) await start(machine, devices, `vm${at + 1}`);
    const done = await Promise.allSettled(works.map((work) => work(machine)));
    expect(done.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(String(done.find((one) => one.status === "rejected")?.reason)).toContain(NONE_FREE);
    expect(await devicesOfBoth(machine)).toEqual(["eth0"]);
  });

  test(
    "stays with a guest until its end is complete, beside starts at any moment of the end",
    async () => {
      const ends = async (machine: Machine): Promise<void> => {
        await destroyDomain(nodeOn(machine), "vm1");
        await reapAll(machine);
      };
      const seen: string[] = [];
      // Every moment of the end, which has about 30, and a few after it.
      for (let turns = 0; turns < 200 && seen.filter((one) => one === "fulfilled").length < 5; turns += 1) {
        const machine = await machineWith(pool("passthrough", "eth0"));
        await start(machine, card("01"));
        const ending = ends(machine);
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        const [second] = await Promise.allSettled([start(machine, card("02"), "vm2")]);
        await ending;
        seen.push(second.status);
        if (second.status === "rejected")
          expect([turns, String(second.reason)]).toEqual([turns, expect.stringContaining(NONE_FREE)]);
        expect([turns, ...(await devicesOfBoth(machine))]).toEqual(
          second.status === "rejected" ? [turns] : [turns, "eth0"],
        );
      }
      expect([...new Set(seen)]).toEqual(["rejected", "fulfilled"]);
    },
    TIMEOUT_MS,
  );
});

describe("a network that is changed between the choice of a start and its record", () => {
  /** Starts vm1, and changes the network after the start has chosen a device. */
  async function startDuring(machine: Machine, change: (node: Node) => void): Promise<void> {
    const node = nodeOn(machine);
    const unlock = await node.host.lock(registryLock(node.paths), 0);
    const starting = start(machine, card("01"));
    // The start waits for the lock.
    for (let turns = 0; turns < 200; turns += 1) await Promise.resolve();
    change(node);
    unlock();
    await starting;
  }
  type Node = ReturnType<typeof nodeOn>;
  const become = (content: string) => (node: Node) =>
    writeActiveNetwork(node, "lan", formatNetwork(parseNetwork(networkXml(content, "lan", LAN_UUID))));

  test("gives the guest a device that it has then", async () => {
    const machine = await machineWith(pool("passthrough", "eth0"));
    await startDuring(machine, become(pool("private", "eth1", "eth2")));
    expect(await xmlOf(machine)).toMatch(/<source network='lan' portid='[^']*' dev='eth1' mode='private'\/>/);
  });

  test("gives the guest its bridge, if it has become one", async () => {
    const machine = await machineWith(pool("passthrough", "eth0"));
    machine.taps.addBridge("br0");
    await startDuring(machine, become(BRIDGE));
    expect(await xmlOf(machine)).toMatch(
      /<source network='lan' portid='[^']*' bridge='br0'\/>\n {6}<target dev='vnet0'\/>/,
    );
    expect(machine.files.find("/sys/class/net/macvtap0")).toBeUndefined();
  });

  test.each([
    ["is destroyed", (node: Node) => removeActiveNetwork(node, "lan"), "network 'lan' is not active"],
    ["has lost its devices", become("<forward mode='vepa'/>"), "Cannot start the network 'lan'"],
  ])("fails the start if it %s, which leaves nothing", async (_, change, message) => {
    const machine = await machineWith(pool("passthrough", "eth0"));
    await defineNetwork(nodeOn(machine), networkXml(pool("passthrough", "eth0")));
    const error = await errorOf(startDuring(machine, change));
    expect(error.message).toContain(message);
    expect(readRecord(nodeOn(machine), UUID)).toBeUndefined();
    expect(machine.files.find("/sys/class/net/macvtap0")).toBeUndefined();
  });
});

describe("a guest that is started again", () => {
  test("is restored on another device, or not at all while none is free, and keeps its state", async () => {
    const machine = await machineWith(pool("passthrough", "eth0", "eth1"));
    await start(machine, card("01"));
    await save(machine);
    await start(machine, card("02") + card("03"), "vm2");
    expect((await errorOf(restored(machine))).message).toContain(NONE_FREE);
    expect(readSaveImage(nodeOn(machine), FILE).xml).toContain("<source network='lan'/>");
    await detachDevice(nodeOn(machine), { ...ASK, key: "vm2" }, deviceOf(card("03")));
    await restored(machine);
    expect([await devicesOf(machine), await devicesOf(machine, "vm2")]).toEqual([["eth1"], ["eth0"]]);
  });

  test("after a crash has a device that no other guest has", async () => {
    const machine = await machineWith(pool("passthrough", "eth0", "eth1"));
    const lifecycle = "<on_crash>restart</on_crash>";
    await startDomain(nodeOn(machine), domainXml({ devices: card("01"), lifecycle }));
    await start(machine, card("02"), "vm2");
    machine.processes.end(machine.processes.qemuOf(UUID)?.pid ?? 0, 137);
    machine.pass(100);
    await reapAll(machine);
    expect(await devicesOf(machine)).toEqual(["eth0"]);
    expect(await devicesOf(machine, "vm2")).toEqual(["eth1"]);
  });
});

// The record of a start that has taken its PCI device counts, before the rest of the start is decided.
test("one of two guests with PCI devices that start at once gets the only device", async () => {
  const machine = await machineWith(pool("passthrough", "eth0"));
  machine.files.putFolder("/sys/bus/pci/drivers/e1000e");
  const names = ["0000:06:00.0", "0000:07:00.0"];
  putPciDevices(
    machine,
    names.map((name, at) => ({ name, group: String(12 + at), driver: "e1000e", match: "e1000e" })),
  );
  const pci = (bus: number): string =>
    `<hostdev type='pci' managed='yes'><source><address bus='${bus}' slot='0' function='0'/></source></hostdev>`;
  const done = await Promise.allSettled([
    start(machine, card("01") + pci(6)),
    start(machine, card("02") + pci(7), "vm2"),
  ]);
  expect(done.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(String(done.find((one) => one.status === "rejected")?.reason)).toContain(NONE_FREE);
});

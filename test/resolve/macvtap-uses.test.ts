import { describe, expect, test } from "bun:test";
import { attachDevice } from "../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import { deviceOf } from "../scenes/hotplug.ts";
import { card, devicesOf, machineWith, NONE_FREE, networkOf, pool, start } from "../scenes/macvtaps.ts";
import { putPciDevices } from "../scenes/pci.ts";
import { domainXml, errorOf, reapAll, sweepAll, UUID } from "../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../scenes/strikes.ts";

const TIMEOUT_MS = 120_000;
const ASK = { key: "vm1", options: { live: true }, isDryRun: false };

test(
  "a start struck at any call leaves the device free, or with the guest that runs",
  async () => {
    const prepare = async (): Promise<Machine> => await machineWith(pool("passthrough", "eth0"));
    const work: Work = (node) => startDomain(node, domainXml({ devices: card("01") }));
    for (const strike of await instantsOf(prepare, work)) {
      const machine = await prepare();
      await beStruck(machine, work, strike);
      await sweepAll(machine);
      await reapAll(machine);
      const runs = machine.processes.qemuOf(UUID) !== undefined;
      const place = `${strike.moment} call ${strike.at}`;
      expect([place, networkOf(machine).includes("connections")]).toEqual([place, runs]);
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
    for (const strike of await instantsOf(prepare, work)) {
      const machine = await prepare();
      await beStruck(machine, work, strike);
      await sweepAll(machine);
      const has = (await devicesOf(machine)).length > 0;
      const place = `${strike.moment} call ${strike.at}`;
      expect([place, networkOf(machine).includes("connections")]).toEqual([place, has]);
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
    expect(networkOf(machine)).not.toContain("connections");
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
      expect(networkOf(machine)).not.toContain("connections");
    },
  );
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

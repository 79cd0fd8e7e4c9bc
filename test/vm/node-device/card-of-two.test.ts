import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { testInTurn } from "../../sample.ts";
import { putNetwork } from "../../scenes/host-devices.ts";
import { deviceOf } from "../../scenes/hotplug.ts";
import { during, pciFolder, putPciDevices } from "../../scenes/pci.ts";
import {
  domainXml,
  errorOf,
  makeMachine,
  nodeOn,
  OTHER,
  putText,
  sweepAll,
  UUID,
} from "../../scenes/scene.ts";
import { strikeEverywhere, type Work } from "../../scenes/strikes.ts";

const inTurn = testInTurn(4);

const ADDRESS = "0000:06:00.0";
const HOSTDEV =
  "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='6' slot='0' function='0'/></source></hostdev>";
const card = (type: string, source: string): string =>
  `<interface type='${type}'><mac address='52:54:00:00:00:02'/><source ${source}/><model type='virtio'/></interface>`;
const MACVTAP = card("direct", "dev='eth0'");
const BRIDGED = card("bridge", "bridge='br0'");
const ELSEWHERE = card("direct", "dev='eth1'");

/** Returns a host with two network cards. The first one is a port of br0. */
function makeHost(): Machine {
  const machine = makeMachine();
  machine.files.putFolder("/sys/bus/pci/drivers/e1000e");
  putPciDevices(machine, [{ name: ADDRESS, group: "12", driver: "e1000e", match: "e1000e" }]);
  putNetwork(machine, `${pciFolder(ADDRESS)}/net/eth0`);
  putNetwork(machine, "/sys/devices/pci0000:00/0000:00:07.0/net/eth1");
  machine.taps.addBridge("br0");
  putText(machine, "/sys/class/net/br0/lower_eth0", "");
  return machine;
}

const withCard: Work = (node) => startDomain(node, domainXml({ devices: HOSTDEV }));
const byCard =
  (devices: string): Work =>
  (node) =>
    startDomain(node, domainXml({ name: "vm2", uuid: OTHER, devices }));
const attached =
  (key: string, device: string): Work =>
  (node) =>
    attachDevice(node, { key, options: {}, isDryRun: false }, deviceOf(device));

const WAYS = [
  ["a macvtap", MACVTAP],
  ["its bridge", BRIDGED],
] as const;
const REFUSAL = `in-use: Cannot use ${ADDRESS}: the guest ${UUID} uses it, or is taking or returning it`;

async function refusal(work: Promise<unknown>): Promise<string> {
  const { kind, message } = await errorOf(work);
  return `${kind}: ${message}`;
}

describe.each(WAYS)("while a guest takes a card, %s on it", (_, devices) => {
  test("is refused to another guest that starts, and one on another card starts", async () => {
    const machine = makeHost();
    await during(machine, withCard, async () => {
      expect(await refusal(byCard(devices)(nodeOn(machine)))).toBe(REFUSAL);
      await byCard(ELSEWHERE)(nodeOn(machine));
    });
    expect(machine.pci.driverOf(ADDRESS)).toBe("vfio-pci");
  });

  test("is refused to another guest that runs", async () => {
    const machine = makeHost();
    await byCard("")(nodeOn(machine));
    await during(machine, withCard, async () => {
      expect(await refusal(attached("vm2", devices)(nodeOn(machine)))).toBe(REFUSAL);
      await attached("vm2", ELSEWHERE)(nodeOn(machine));
    });
  });

  test("is refused if a running guest takes it", async () => {
    const machine = makeHost();
    await startDomain(nodeOn(machine), domainXml());
    await during(machine, attached("vm1", HOSTDEV), async () => {
      expect(await refusal(byCard(devices)(nodeOn(machine)))).toBe(REFUSAL);
    });
  });

  test("is refused until the guest has returned it", async () => {
    const machine = makeHost();
    await withCard(nodeOn(machine));
    const ends: Work = (node) => destroyDomain(node, "vm1");
    await during(machine, ends, async () => {
      expect(await refusal(byCard(devices)(nodeOn(machine)))).toBe(REFUSAL);
    });
    await byCard(devices)(nodeOn(machine));
  });
});

/**
 * Starts the second guest after the first one's svirt was killed, and then the next command finishes its
 * work.
 */
async function thenStart(machine: Machine, place: string, second: Work): Promise<boolean> {
  const error = await second(nodeOn(machine)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error !== undefined)
    expect([place, error]).toEqual([place, expect.objectContaining({ kind: "in-use" })]);
  await sweepAll(machine);
  return error === undefined;
}

describe.each(WAYS)("two guests of which one has %s on the card of the other", (_, devices) => {
  inTurn(
    "exclude each other wherever the start of the one with the card is killed",
    async () => {
      const outcomes = new Set<boolean>();
      const subject = { name: "a start", prepare: async () => makeHost(), work: withCard, needsAll: true };
      await strikeEverywhere(subject, "crash", async (machine, place) => {
        const hasStarted = await thenStart(machine, place, byCard(devices));
        outcomes.add(hasStarted);
        if (hasStarted) expect([place, machine.pci.driverOf(ADDRESS)]).toEqual([place, "e1000e"]);
      });
      expect(outcomes.size).toBe(2);
    },
    120_000,
  );

  inTurn(
    "exclude each other wherever the start of the other one is killed",
    async () => {
      const outcomes = new Set<boolean>();
      const prepare = async (): Promise<Machine> => makeHost();
      const subject = { name: "a start", prepare, work: byCard(devices), needsAll: true };
      await strikeEverywhere(subject, "crash", async (machine, place) => {
        const hasStarted = await thenStart(machine, place, withCard);
        outcomes.add(hasStarted);
        const left = machine.files.get("/sys/class/net").entries;
        const names = [...left.keys()].filter((name) => /^(macvtap|vnet)/.test(name));
        if (hasStarted) expect([place, names]).toEqual([place, []]);
      });
      expect(outcomes.size).toBe(2);
    },
    120_000,
  );
});

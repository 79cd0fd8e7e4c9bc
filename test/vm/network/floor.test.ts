import { describe, expect, test } from "bun:test";
import type { Ask } from "../../../src/vm/change/change-domain.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { changeBandwidth } from "../../../src/vm/hotplug/bandwidth.ts";
import { attachDevice, detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { createNetwork, destroyNetwork } from "../../../src/vm/network/start-network.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf, recordOf } from "../../scenes/hotplug.ts";
import { BRIDGE, networkXml } from "../../scenes/networks.ts";
import { domainXml, errorOf, makeMachine, nodeOn, OTHER, reapAll, sweepAll } from "../../scenes/scene.ts";
import { strikeEverywhere } from "../../scenes/strikes.ts";

const ASK: Ask = { key: "vm1", options: { live: true }, isDryRun: false };
const FLOORS = "/sys/class/net/virbr7/floors";
const RATES = { average: 0, peak: 0, burst: 0 };
const LAN = "<bridge name='virbr7'/><bandwidth><inbound average='1000'/></bandwidth>";
const mac = (last: string): string => `52:54:00:00:00:${last}`;
const card = (last: string, floor: number | undefined, more = ""): string => {
  const limited = floor === undefined ? "" : `<bandwidth><inbound floor='${floor}'/></bandwidth>`;
  return `<interface type='network'><mac address='${mac(last)}'/><source network='lan'/><model type='virtio'/>${limited}${more}</interface>`;
};

async function running(devices: string, network = LAN): Promise<Machine> {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  await createNetwork(nodeOn(machine), networkXml(network));
  await startDomain(nodeOn(machine), domainXml({ devices }));
  return machine;
}

/** Returns the guaranteed shares in bytes per second, by the guest's address. */
function floorsOn(machine: Machine): Readonly<Record<string, number>> {
  const entries = machine.files.find(FLOORS)?.inode.entries.keys() ?? [];
  const text = (name: string): string =>
    new TextDecoder().decode(machine.files.get(`${FLOORS}/${name}`).bytes);
  return Object.fromEntries([...entries].map((name) => [name, Number(text(name))]));
}

describe("a guaranteed share of a network's bandwidth", () => {
  test("is set with the guest's start, and ends with it", async () => {
    const machine = await running(card("01", 200) + card("02", undefined));
    expect(floorsOn(machine)).toEqual({ [mac("01")]: 200_000 });
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(floorsOn(machine)).toEqual({});
  });

  test("comes and goes with a card that is attached and detached", async () => {
    const machine = await running(card("01", 200));
    const before = recordOf(machine).steps.length;
    await attachDevice(nodeOn(machine), ASK, deviceOf(card("02", 300)));
    expect(floorsOn(machine)).toEqual({ [mac("01")]: 200_000, [mac("02")]: 300_000 });
    await detachDevice(nodeOn(machine), ASK, deviceOf(card("02", undefined)));
    expect([floorsOn(machine), recordOf(machine).steps.length]).toEqual([{ [mac("01")]: 200_000 }, before]);
  });

  test("changes by domiftune, and is gone after the guest's end", async () => {
    const machine = await running(card("01", 200));
    const steps = recordOf(machine).steps.length;
    for (const floor of [900, 1000, 0, 300]) {
      await changeBandwidth(nodeOn(machine), ASK, { name: "vnet0", inbound: { ...RATES, floor } });
      expect(floorsOn(machine)).toEqual(floor === 0 ? {} : { [mac("01")]: floor * 1000 });
    }
    expect(recordOf(machine).steps.length).toBe(steps);
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(floorsOn(machine)).toEqual({});
  });

  test("ends with the network, whose guests end as usual", async () => {
    const machine = await running(card("01", 200));
    await destroyNetwork(nodeOn(machine), "lan");
    await createNetwork(nodeOn(machine), networkXml(LAN.replace("virbr7", "virbr8")));
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    await startDomain(nodeOn(machine), domainXml({ devices: card("01", 1000) }));
    expect(machine.files.find("/sys/class/net/virbr8/floors")?.inode.entries.size).toBe(1);
  });

  // networkCheckBandwidth() of libvirt
  test.each([
    [
      BRIDGE,
      "unsupported",
      "Operation not supported: Invalid use of 'floor' on interface with MAC address 52:54:00:00:00:01 - 'floor' is only supported for interface type 'network' with forward type 'nat', 'route', 'open' or none",
    ],
    [
      "<bridge name='virbr7'/><bandwidth><outbound average='1000'/></bandwidth>",
      "unsupported",
      "Operation not supported: Invalid use of 'floor' on interface with MAC address 52:54:00:00:00:01 - network 'lan' has no inbound QoS set",
    ],
    [
      LAN,
      "wrong-state",
      "Requested operation is not valid: Cannot plug '52:54:00:00:00:02' interface into 'virbr7' because new combined inbound floor=1001 would overcommit average=1000 on network 'lan'",
    ],
    [
      LAN.replace("/></band", " peak='1000'/></band").replace("'1000' peak", "'1' peak"),
      "wrong-state",
      "Requested operation is not valid: Cannot plug '52:54:00:00:00:02' interface into 'virbr7' because new combined inbound floor=1001 would overcommit peak=1000 on network 'lan'",
    ],
  ])("is refused with libvirt's message: %s", async (network, kind, message) => {
    const machine = await running("", network);
    const devices = card("01", 500) + card("02", 501);
    const error = await errorOf(
      startDomain(nodeOn(machine), domainXml({ devices, name: "vm2", uuid: OTHER })),
    );
    const at = message.includes(mac("02")) ? 2 : 1;
    expect([error.kind as string, error.message]).toEqual([
      kind,
      expect.stringContaining(`${message} (/domain/devices/interface[${at}]/bandwidth/inbound/@floor)`),
    ]);
  });

  test("counts those of all guests, and not the interface's own", async () => {
    const machine = await running(card("01", 600));
    const devices = card("02", 401);
    const other = await errorOf(
      startDomain(nodeOn(machine), domainXml({ devices, name: "vm2", uuid: OTHER })),
    );
    expect(other.message).toContain("new combined inbound floor=1001 would overcommit average=1000");
    await attachDevice(nodeOn(machine), ASK, deviceOf(card("03", 400)));
    const more = await errorOf(attachDevice(nodeOn(machine), ASK, deviceOf(card("04", 1))));
    const change = { name: "vnet0", inbound: { ...RATES, floor: 601 } };
    const own = await errorOf(changeBandwidth(nodeOn(machine), ASK, change));
    for (const { message } of [more, own])
      expect(message).toContain("new combined inbound floor=1001 would overcommit average=1000");
    expect(floorsOn(machine)).toEqual({ [mac("01")]: 600_000, [mac("03")]: 400_000 });
  });

  test("is refused for an address that has one already, whose end would be that of both", async () => {
    const machine = await running(card("01", 200));
    const start = (devices: string) =>
      startDomain(nodeOn(machine), domainXml({ devices, name: "vm2", uuid: OTHER }));
    const errors = [
      await errorOf(start(card("01", 100))),
      await errorOf(attachDevice(nodeOn(machine), ASK, deviceOf(card("01", 100)))),
      await errorOf(start(card("02", 100) + card("02", 100))),
    ];
    for (const { kind, message } of errors)
      expect([kind as string, message]).toEqual([
        "in-use",
        expect.stringContaining("has a guaranteed share of the network 'lan' already"),
      ]);
    await start(card("01", undefined));
    await destroyDomain(nodeOn(machine), "vm2");
    expect(floorsOn(machine)).toEqual({ [mac("01")]: 200_000 });
    await changeBandwidth(nodeOn(machine), ASK, { name: "vnet0", inbound: { ...RATES, floor: 300 } });
  });

  test("is counted while it changes, at whichever step another guest starts", async () => {
    const subject = {
      name: "domiftune",
      prepare: () => running(card("01", 200)),
      work: (node: Parameters<typeof changeBandwidth>[0]) =>
        changeBandwidth(node, ASK, { name: "vnet0", inbound: { ...RATES, floor: 800 } }),
    };
    const devices = card("02", 500);
    await strikeEverywhere(subject, "crash", async (machine, place) => {
      const start = startDomain(nodeOn(machine), domainXml({ devices, name: "vm2", uuid: OTHER }));
      await errorOf(start).catch(() => undefined);
      const sum = Object.values(floorsOn(machine)).reduce((all, rate) => all + rate, 0);
      expect([place, sum <= 1_000_000]).toEqual([place, true]);
    });
  }, 60_000);

  test.each(["crash", "fail"] as const)(
    "is the former or the new one after a %s at any step of its change",
    async (how) => {
      for (const [from, to] of [
        [200, 300],
        [200, undefined],
        [undefined, 300],
      ] as const) {
        const subject = {
          name: "domiftune",
          prepare: () => running(card("01", from)),
          work: (node: Parameters<typeof changeBandwidth>[0]) =>
            changeBandwidth(node, ASK, { name: "vnet0", inbound: { ...RATES, floor: to ?? 0 } }),
        };
        await strikeEverywhere(subject, how, async (machine, place) => {
          await sweepAll(machine);
          const [, floor] = / floor='(\d+)'/.exec(recordOf(machine).xml) ?? [];
          expect([String(from), String(to)]).toContain(String(floor));
          const shares = floor === undefined ? {} : { [mac("01")]: Number(floor) * 1000 };
          expect([place, floorsOn(machine)]).toEqual([place, shares]);
          await destroyDomain(nodeOn(machine), "vm1");
          expect([place, floorsOn(machine)]).toEqual([place, {}]);
        });
      }
    },
    60_000,
  );
});

import { describe, expect, test } from "bun:test";
import { describe as describeStep } from "../../../src/plan/steps/describe.ts";
import { planStop } from "../../../src/plan/steps/inverse.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { deviceOf, recordOf, wholeState } from "../../scenes/hotplug.ts";
import { domainXml, errorOf, makeMachine, nodeOn, reapAll, sweepAll, UUID } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work, withoutInodes } from "../../scenes/strikes.ts";

const TIMEOUT_MS = 120_000;
const WISH = { live: true, config: false, current: false, persistent: false };
const ASK = { key: "vm1", options: WISH, isDryRun: false };
const card = (last: string, more = ""): string =>
  `<interface type='bridge'><mac address='52:54:00:00:00:${last}'/><source bridge='br0'/>${more}<model type='virtio'/></interface>`;
const TWO = card("01") + card("02", "<target dev='web'/>");

function machineWithBridge(): Machine {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  machine.files.put("/dev/vhost-net", "character", { node: "10:238" });
  return machine;
}

async function machineWithGuest(): Promise<Machine> {
  const machine = machineWithBridge();
  await startDomain(nodeOn(machine), domainXml({ devices: TWO }));
  return machine;
}

function ports(machine: Machine): string[] {
  return [...machine.files.get("/sys/class/net/br0/brif").entries.keys()].toSorted();
}

function words(machine: Machine): readonly string[] {
  return machine.processes.qemuOf(UUID)?.words ?? [];
}

describe("a start", () => {
  test("puts a tap of each interface on the bridge, and hands its queue and vhost-net to QEMU", async () => {
    const machine = await machineWithGuest();
    expect(ports(machine)).toEqual(["vnet0", "web"]);
    const netdevs = words(machine).flatMap((word) => (word.startsWith('{"type":"tap"') ? [word] : []));
    expect(netdevs).toEqual([
      '{"type":"tap","fd":"5","vhost":true,"vhostfd":"6","id":"hostnet0"}',
      '{"type":"tap","fd":"7","vhost":true,"vhostfd":"8","id":"hostnet1"}',
    ]);
    expect(recordOf(machine).xml).toContain("<target dev='vnet0'/>");
  });

  test("is undone with nothing of the taps left", async () => {
    const machine = machineWithBridge();
    const before = snapshot(machine);
    await startDomain(nodeOn(machine), domainXml({ devices: TWO }));
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });

  test("removes a tap that its guest has made to stay, and none that is somebody else's by now", async () => {
    const machine = await machineWithGuest();
    const back = planStop(recordOf(machine).steps).map(describeStep);
    expect(back.filter((line) => line.includes("tap"))).toEqual([
      "remove tap web if it still exists (the kernel removes it with QEMU's last descriptor)",
      "remove tap vnet0 if it still exists (the kernel removes it with QEMU's last descriptor)",
      "release tap web (exclusive)",
      "release tap vnet0 (exclusive)",
    ]);
    const { host } = nodeOn(machine);
    host.removeTap({ name: "web", mac: "fe:54:00:00:00:01" });
    expect(ports(machine)).toEqual(["vnet0", "web"]);
    host.removeTap({ name: "web", mac: "fe:54:00:00:00:02" });
    expect(ports(machine)).toEqual(["vnet0"]);
  });

  test("of a second guest takes other names, and refuses one that the first has", async () => {
    const machine = await machineWithGuest();
    const second = (devices: string): Uint8Array =>
      domainXml({ name: "vm2", uuid: UUID.replace(/1$/, "2"), devices });
    const error = await errorOf(startDomain(nodeOn(machine), second(card("03", "<target dev='web'/>"))));
    expect([error.kind, error.message]).toEqual([
      "in-use",
      "Cannot create the tap web: a network device of that name exists",
    ]);
    await startDomain(nodeOn(machine), second(card("03")));
    expect(ports(machine)).toEqual(["vnet0", "vnet1", "web"]);
  });

  test("without the bridge changes nothing", async () => {
    const machine = makeMachine();
    const before = snapshot(machine);
    const error = await errorOf(startDomain(nodeOn(machine), domainXml({ devices: TWO })));
    expect([error.kind, error.message]).toEqual([
      "not-found",
      "Cannot get interface MTU on 'br0': No such device",
    ]);
    expect(snapshot(machine)).toEqual(before);
  });
});

describe("a running guest", () => {
  const third = deviceOf(card("03"));

  test("is given an interface on the bridge, and lets go of it without a trace", async () => {
    const machine = await machineWithGuest();
    const before = wholeState(machine);
    await attachDevice(nodeOn(machine), ASK, third);
    expect(ports(machine)).toEqual(["vnet0", "vnet1", "web"]);
    expect(recordOf(machine).xml).toContain("<target dev='vnet1'/>");
    await detachDevice(nodeOn(machine), ASK, third);
    expect(wholeState(machine)).toEqual(before);
  });

  test("lets go of an interface that it was started with, and its name is free again", async () => {
    const machine = await machineWithGuest();
    await detachDevice(nodeOn(machine), ASK, deviceOf(card("01")));
    expect(ports(machine)).toEqual(["web"]);
    await attachDevice(nodeOn(machine), ASK, third);
    expect(ports(machine)).toEqual(["vnet0", "web"]);
    await detachDevice(nodeOn(machine), ASK, deviceOf(card("02")));
    expect(ports(machine)).toEqual(["vnet0"]);
  });
});

const start: Work = (node) => startDomain(node, domainXml({ devices: TWO }));
const attach: Work = (node) => attachDevice(node, ASK, deviceOf(card("03")));
const detach: Work = (node) => detachDevice(node, ASK, deviceOf(card("02")));

/** Expects a running guest with both its taps, or a machine without any trace of it. */
function expectWhole(machine: Machine, clean: readonly string[], place: string): void {
  const isThere = machine.processes.qemuOf(UUID) !== undefined;
  const [is, wanted] = isThere ? [ports(machine), ["vnet0", "web"]] : [snapshot(machine), clean];
  expect([place, ...is]).toEqual([place, ...wanted]);
}

describe("killed before, within and after every call that changes something", () => {
  test.each(["crash", "fail"] as const)(
    "a start leaves no tap, no port and no name taken: %s",
    async (how) => {
      const clean = snapshot(machineWithBridge());
      for (const strike of sampleOf(await instantsOf(async () => machineWithBridge(), start))) {
        const machine = machineWithBridge();
        await beStruck(machine, start, { ...strike, how });
        await sweepAll(machine);
        await reapAll(machine);
        expectWhole(machine, clean, `${strike.moment} call ${strike.at}`);
      }
    },
    TIMEOUT_MS,
  );

  test.each([
    ["an attach", attach, ["vnet0", "vnet1", "web"]],
    ["a detach", detach, ["vnet0"]],
  ] as const)(
    "%s is done wholly or not at all",
    async (_, work, after) => {
      for (const strike of sampleOf(await instantsOf(machineWithGuest, work))) {
        const machine = await machineWithGuest();
        await beStruck(machine, work, strike);
        await sweepAll(machine);
        const place = `${strike.moment} call ${strike.at}`;
        const isDone = ports(machine).join() === after.join();
        expect([place, ...ports(machine)]).toEqual([place, ...(isDone ? after : ["vnet0", "web"])]);
        expect([place, recordOf(machine).change]).toEqual([place, undefined]);
        await destroyDomain(nodeOn(machine), "vm1");
        await reapAll(machine);
        const clean = machineWithBridge();
        expect([place, ...withoutInodes(machine)]).toEqual([place, ...withoutInodes(clean)]);
      }
    },
    TIMEOUT_MS,
  );
});

import { describe, expect, test } from "bun:test";
import { describe as describeStep } from "../../../src/plan/steps/describe.ts";
import { planStop } from "../../../src/plan/steps/inverse.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { deviceOf, recordOf } from "../../scenes/hotplug.ts";
import {
  domainXml,
  errorOf,
  makeMachine,
  nodeOn,
  putText,
  reapAll,
  sweepAll,
  UUID,
} from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work, withoutInodes } from "../../scenes/strikes.ts";

const TIMEOUT_MS = 120_000;
const ASK = {
  key: "vm1",
  options: { live: true, config: false, current: false, persistent: false },
  isDryRun: false,
};
const card = (last: string, mode = "", target = ""): string =>
  `<interface type='direct'><mac address='52:54:00:00:00:${last}'/><source dev='br0'${mode}/>${target}<model type='virtio'/></interface>`;
const TWO = card("01", " mode='bridge'") + card("02", " mode='bridge'", "<target dev='web'/>");

const RULES = "/dev/tap.* -c system_u:object_r:tun_tap_device_t:s0\n";

function machineWithCard(): Machine {
  const machine = makeMachine();
  // Lower device of the macvtaps: a bridge is a network device like others.
  machine.taps.addBridge("br0");
  machine.files.put("/dev/vhost-net", "character", { node: "10:238" });
  return machine;
}

const start: Work = (node) => startDomain(node, domainXml({ devices: TWO }));

const macvtaps = (machine: Machine): string[] =>
  [...machine.files.get("/sys/class/net").entries.keys()].filter((name) => name !== "br0").toSorted();

describe("a start", () => {
  test("makes a macvtap for each interface before the guest, and hands it over with the guest's level", async () => {
    const machine = machineWithCard();
    putText(machine, "/etc/selinux/svirt/contexts/files/file_contexts", RULES);
    await start(nodeOn(machine));
    expect(macvtaps(machine)).toEqual(["macvtap0", "web"]);
    const { label, steps, uid, xml } = recordOf(machine);
    const [made, spawned] = ["make-macvtap", "spawn"].map((name) =>
      steps.findIndex((step) => step.do === name),
    );
    expect(made).toBeLessThan(spawned ?? 0);
    expect(steps.find((step) => step.do === "make-macvtap")).toMatchObject({
      link: { name: "macvtap0", lower: "br0", mode: "bridge", mac: "52:54:00:00:00:01", group: uid },
    });
    // Type by policy, level of the guest: table 1.4 of libvirt's labels.
    const range = label.label?.split(":").slice(3).join(":");
    const order = machine.processes.qemuOf(UUID)?.order;
    expect(order?.taps?.map(({ macvtap }) => macvtap?.label)).toEqual([
      `system_u:object_r:tun_tap_device_t:${range}`,
      `system_u:object_r:tun_tap_device_t:${range}`,
    ]);
    expect(order?.words.filter((word) => word.startsWith('{"type":"tap"'))).toEqual([
      '{"type":"tap","fd":"5","vhost":true,"vhostfd":"6","id":"hostnet0"}',
      '{"type":"tap","fd":"7","vhost":true,"vhostfd":"8","id":"hostnet1"}',
    ]);
    expect(xml).toContain("<target dev='macvtap0'/>");
  });

  test("is planned, and undone with nothing left", async () => {
    const machine = machineWithCard();
    const before = snapshot(machine);
    const plan = (await planDomainStart(nodeOn(machine), domainXml({ devices: card("01") }))).map(
      describeStep,
    );
    expect(plan.find((line) => line.startsWith("create macvtap"))).toBe(
      "create macvtap macvtap0 on br0: vepa, MAC 52:54:00:00:00:01, up",
    );
    expect(snapshot(machine)).toEqual(before);
    await start(nodeOn(machine));
    const back = planStop(recordOf(machine).steps).map(describeStep);
    expect(back.filter((line) => line.includes("macvtap"))).toEqual([
      "remove macvtap web",
      "remove macvtap macvtap0",
      "release tap macvtap0 (exclusive)",
    ]);
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });

  test("never removes one that is somebody else's", async () => {
    const machine = machineWithCard();
    machine.taps.addMacvtap(
      { name: "web", lower: "br0", mode: "bridge", mac: "52:54:00:00:00:99", group: 0 },
      () => undefined,
    );
    const error = await errorOf(start(nodeOn(machine)));
    expect(error.kind).toBe("in-use");
    expect(macvtaps(machine)).toEqual(["web"]);
  });

  test("without the device changes nothing", async () => {
    const machine = makeMachine();
    const before = snapshot(machine);
    const error = await errorOf(start(nodeOn(machine)));
    expect([error.kind, error.message]).toEqual([
      "not-found",
      "Cannot get interface MTU on 'br0': No such device",
    ]);
    expect(snapshot(machine)).toEqual(before);
  });
});

test("a running guest lets go of one, which goes", async () => {
  const machine = machineWithCard();
  await start(nodeOn(machine));
  await detachDevice(nodeOn(machine), ASK, deviceOf(card("01")));
  expect(macvtaps(machine)).toEqual(["web"]);
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  expect(withoutInodes(machine)).toEqual(withoutInodes(machineWithCard()));
});

const runningAlone = async (): Promise<Machine> => {
  const machine = machineWithCard();
  await startDomain(nodeOn(machine), domainXml());
  return machine;
};

test("a running guest is given one, made before QEMU has it, and lets go of it", async () => {
  const machine = await runningAlone();
  putText(machine, "/etc/selinux/svirt/contexts/files/file_contexts", RULES);
  const before = withoutInodes(machine);
  await attachDevice(nodeOn(machine), ASK, deviceOf(card("03", " mode='private'")));
  expect(macvtaps(machine)).toEqual(["macvtap0"]);
  const { label, steps, uid, xml } = recordOf(machine);
  const range = label.label?.split(":").slice(3).join(":");
  const added = steps.slice(steps.findIndex((step) => step.do === "resume") + 1);
  expect(added.map((step) => step.do)).toEqual(["reserve", "make-macvtap", "pass-tap", "plug"]);
  expect(added[1]).toMatchObject({
    link: { name: "macvtap0", lower: "br0", mode: "private", mac: "52:54:00:00:00:03", group: uid },
  });
  expect(added[2]).toMatchObject({
    tap: { isMade: false, macvtap: { label: `system_u:object_r:tun_tap_device_t:${range}` } },
  });
  expect(xml).toContain("<target dev='macvtap0'/>");
  await detachDevice(nodeOn(machine), ASK, deviceOf(card("03")));
  expect(macvtaps(machine)).toEqual([]);
  expect(withoutInodes(machine)).toEqual(before);
});

test("it goes with the guest, too; without the device below nothing is changed", async () => {
  const machine = await runningAlone();
  await attachDevice(nodeOn(machine), ASK, deviceOf(card("03")));
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  expect(withoutInodes(machine)).toEqual(withoutInodes(machineWithCard()));
  const other = makeMachine();
  await startDomain(nodeOn(other), domainXml());
  const before = snapshot(other);
  const error = await errorOf(attachDevice(nodeOn(other), ASK, deviceOf(card("03"))));
  expect(error.message).toBe("Cannot get interface MTU on 'br0': No such device");
  expect(snapshot(other)).toEqual(before);
});

test.each(["crash", "fail"] as const)(
  "struck at any call, a change gives all or nothing: %s",
  async (how) => {
    const attach: Work = (node) => attachDevice(node, ASK, deviceOf(card("03")));
    const clean = withoutInodes(await runningAlone());
    for (const strike of sampleOf(await instantsOf(runningAlone, attach))) {
      const machine = await runningAlone();
      await beStruck(machine, attach, { ...strike, how });
      await sweepAll(machine);
      const has = recordOf(machine).xml.includes("macvtap0");
      const place = `${strike.moment} call ${strike.at}`;
      expect([place, ...macvtaps(machine)]).toEqual([place, ...(has ? ["macvtap0"] : [])]);
      if (!has) expect([place, withoutInodes(machine)]).toEqual([place, clean]);
    }
  },
  TIMEOUT_MS,
);

test.each(["crash", "fail"] as const)(
  "struck at any call, a start leaves all or nothing: %s",
  async (how) => {
    const clean = snapshot(machineWithCard());
    for (const strike of sampleOf(await instantsOf(async () => machineWithCard(), start))) {
      const machine = machineWithCard();
      await beStruck(machine, start, { ...strike, how });
      await sweepAll(machine);
      await reapAll(machine);
      const place = `${strike.moment} call ${strike.at}`;
      const runs = machine.processes.qemuOf(UUID) !== undefined;
      const [is, wanted] = runs ? [macvtaps(machine), ["macvtap0", "web"]] : [snapshot(machine), clean];
      expect([place, ...is]).toEqual([place, ...wanted]);
    }
  },
  TIMEOUT_MS,
);

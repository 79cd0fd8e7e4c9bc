import { expect, test } from "bun:test";
import type { Ask } from "../../../src/vm/change/change-domain.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { changeBandwidth } from "../../../src/vm/hotplug/bandwidth.ts";
import { updateDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf, recordOf } from "../../scenes/hotplug.ts";
import { domainXml, errorOf, makeMachine, nodeOn, sweepAll } from "../../scenes/scene.ts";
import { makeUsersMachine } from "../../scenes/session.ts";
import { strikeEverywhere } from "../../scenes/strikes.ts";

const ASK: Ask = { key: "vm1", options: { live: true }, isDryRun: false };
const MAC = "<mac address='52:54:00:00:00:09'/>";
const LIMITED = `<interface type='bridge'>${MAC}<source bridge='br0'/><bandwidth><inbound average='10'/><outbound average='20'/></bandwidth></interface>`;
const NONE = { peak: 0, burst: 0, floor: 0 };

async function running(): Promise<Machine> {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  await startDomain(nodeOn(machine), domainXml({ devices: LIMITED }));
  return machine;
}

function shapeOf(machine: Machine): unknown {
  const bytes = machine.files.find("/sys/class/net/vnet0/shape")?.inode.bytes;
  return JSON.parse(new TextDecoder().decode(bytes));
}

test.each(["crash", "fail"] as const)(
  "a change of limits is complete or undone after a %s at any step",
  async (how) => {
    const change = {
      name: "vnet0",
      inbound: { average: 7, ...NONE },
      outbound: { average: 8, ...NONE },
    };
    const subject = {
      name: "domiftune",
      prepare: running,
      work: (node: Parameters<typeof changeBandwidth>[0]) => changeBandwidth(node, ASK, change),
    };
    await strikeEverywhere(subject, how, async (machine, place) => {
      await sweepAll(machine);
      const isNew = recordOf(machine).xml.includes("average='7'");
      const rate = isNew ? 7000 : 10_000;
      expect([place, shapeOf(machine)]).toEqual([place, { bytesPerSecond: rate, peakBytesPerSecond: rate }]);
      const rules = [...machine.packetRules.tables.values()].join();
      expect([place, rules.includes("over 8000 "), rules.includes("over 20000 ")]).toEqual([
        place,
        isNew,
        !isNew,
      ]);
      await destroyDomain(nodeOn(machine), "vm1");
      expect([place, ...machine.packetRules.tables.keys()]).toEqual([place]);
    });
  },
);

test("a user may not filter the tap that root has made for him, while his guest runs either", async () => {
  const machine = makeUsersMachine();
  machine.files.putFolder("/sys/class/net/tap0");
  const card = (more = ""): string =>
    `<interface type='ethernet'>${MAC}<target dev='tap0' managed='no'/><model type='virtio'/>${more}</interface>`;
  await startDomain(nodeOn(machine), domainXml({ type: "qemu", devices: card() }));
  const [, rest = ""] =
    /<model type='virtio'\/>(\s*<alias [^>]*>\s*<address [^>]*>)/.exec(recordOf(machine).xml) ?? [];
  const device = deviceOf(card(`<filterref filter='no-mac-spoofing'/>${rest}`));
  const error = await errorOf(updateDevice(nodeOn(machine), ASK, { device, force: false }));
  expect([error.kind, error.message]).toEqual([
    "denied",
    "Cannot run the guest: only root can filter the frames of /interface",
  ]);
});

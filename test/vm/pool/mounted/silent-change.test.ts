import { expect, test } from "bun:test";
import type { Instance } from "../../../../src/state/instance.ts";
import type { Ask } from "../../../../src/vm/change/change-domain.ts";
import { attachDevice, changeMedium } from "../../../../src/vm/hotplug/change-devices.ts";
import { putMedium } from "../../../../src/vm/hotplug/medium.ts";
import { getSourceType } from "../../../../src/vm/hotplug/source-type.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import { commitOn, copyOn, pullOn, takeOn } from "../../../scenes/block.ts";
import { hanging, machineWithBoth } from "../../../scenes/hanging-server.ts";
import { cdXml, deviceOf, wholeState } from "../../../scenes/hotplug.ts";
import {
  EXPORT,
  makeSharedStorage,
  makeStorageMachine,
  NET,
  OWN_DISKS,
} from "../../../scenes/mounted-pools.ts";
import { diskXml, domainXml, errorOf, nodeOn } from "../../../scenes/scene.ts";
import { IMAGES } from "../../../scenes/volumes.ts";

// A change of a running guest asks the server of its files first, without the registry's lock.

const ANSWER_MS = 2000;
const ASK: Ask = { key: "vm1", options: {}, isDryRun: false };
const VOLUME =
  "<disk type='volume' device='disk'><source pool='net' volume='a.img'/><target dev='vdb'/></disk>";

function insert(node: Instance) {
  return changeMedium(node, ASK, {
    target: "hdc",
    force: false,
    change: (drive) => putMedium(drive, "update", { type: "file", path: `${NET}/a.img` }),
  });
}

test.each<readonly [string, (node: Instance) => Promise<unknown>]>([
  ["attaching a file there", (node) => attachDevice(node, ASK, deviceOf(diskXml(`${NET}/a.img`, "vdb")))],
  ["attaching a volume there", (node) => attachDevice(node, ASK, deviceOf(VOLUME))],
  ["attaching it in a dry run", (node) => attachDevice(node, { ...ASK, isDryRun: true }, deviceOf(VOLUME))],
  ["the type of a source there", async (node) => await getSourceType(node, `${NET}/a.img`)],
  ["a medium from there", insert],
  ["a copy to there", (node) => copyOn(node, { dest: `${NET}/copy.qcow2` })],
  [
    "a snapshot's file there",
    (node) =>
      takeOn(node, { disks: [{ name: "vda", file: `${NET}/s1`, snapshot: undefined, driver: undefined }] }),
  ],
])("%s says so after two seconds and changes nothing", async (_, work) => {
  const machine = await machineWithBoth();
  const disks = diskXml(`${IMAGES}/top.qcow2`, "vda") + cdXml(`${IMAGES}/install.iso`);
  await startDomain(nodeOn(machine), domainXml({ disks }));
  machine.mounts.silent.add(NET);
  const before = wholeState(machine);
  const began = machine.nowMs;
  const { kind, message } = await errorOf(work(hanging(machine).node));
  expect([kind, message]).toEqual([
    "timeout",
    expect.stringContaining(`the server of ${NET} has not answered`),
  ]);
  expect(machine.nowMs - began).toBe(ANSWER_MS);
  expect(wholeState(machine)).toEqual(before);
  expect(machine.violations).toEqual([]);
});

test.each<readonly [string, (node: Instance) => Promise<unknown>]>([
  ["a commit", (node) => commitOn(node)],
  ["a pull", (node) => pullOn(node)],
  ["a copy to elsewhere", (node) => copyOn(node)],
  ["a snapshot", (node) => takeOn(node)],
])("%s of a disk there says so", async (_, work) => {
  const machine = await makeSharedStorage();
  const [disk] = OWN_DISKS;
  await startDomain(nodeOn(machine), domainXml({ disks: diskXml(disk, "vda") }));
  machine.mounts.silent.add(`${NET}/one`);
  const before = wholeState(machine);
  const { kind } = await errorOf(work(hanging(machine).node));
  expect(kind).toBe("timeout");
  expect(wholeState(machine)).toEqual(before);
});

test("a start on a host without pools says so", async () => {
  const machine = makeStorageMachine();
  const order = { source: EXPORT, server: undefined, flags: [], attempts: [{ type: "nfs4", options: [] }] };
  machine.mounts.attach(NET, machine.mounts.open(order), order);
  machine.files.put(`${NET}/a.img`, "file");
  machine.mounts.silent.add(NET);
  const start = startDomain(hanging(machine).node, domainXml({ disks: diskXml(`${NET}/a.img`, "vda") }));
  expect((await errorOf(start)).kind).toBe("timeout");
});

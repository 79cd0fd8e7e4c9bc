import { expect, test } from "bun:test";
import type { Instance } from "../../../src/state/instance.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { createSnapshot, newSnapshot } from "../../../src/vm/snapshot/create-snapshot.ts";
import { deleteSnapshot } from "../../../src/vm/snapshot/delete-snapshot.ts";
import { revertToSnapshot } from "../../../src/vm/snapshot/revert-snapshot.ts";
import { qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { type Machine, snapshot as snapshotOf } from "../../memory-host/machine.ts";
import { hanging, machineWithBoth } from "../../scenes/hanging-server.ts";
import { NET } from "../../scenes/mounted-pools.ts";
import { diskXml, domainXml, errorOf, nodeOn, ORIGINAL, OTHER, UUID } from "../../scenes/scene.ts";
import { IMAGES } from "../../scenes/volumes.ts";

// A snapshot of a domain that is off asks the servers of all its images first, without the registry's lock:
// also those of images that only a header names, and of other domains' disks that such an image is compared
// with.

const ANSWER_MS = 2000;
const OWN = `${IMAGES}/own.qcow2`;

function take(node: Instance, name: string): Promise<unknown> {
  const flags = { isDiskOnly: true, isKept: true, reuses: false };
  const snapshot = newSnapshot(node, { name, description: undefined, disks: [], flags });
  return createSnapshot(node, UUID, { snapshot });
}

/** Returns a machine with a domain that is off, whose image names this file below it. */
async function machineAbove(below: string): Promise<Machine> {
  const machine = await machineWithBoth();
  const bytes = qcow2Bytes({ backingFile: below, extensions: [[0xe2792aca, "raw"]] });
  machine.files.put(OWN, "file", { bytes }).xattrs.set("security.selinux", ORIGINAL);
  await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(OWN, "vda") }));
  return machine;
}

async function withSnapshot(below: string): Promise<Machine> {
  const machine = await machineAbove(below);
  await take(nodeOn(machine), "s1");
  return machine;
}

/**
 * Returns a machine where the disk of another domain is on the server, and the domain's image names a local
 * file.
 */
async function besideOther(): Promise<Machine> {
  const machine = await machineAbove(`${IMAGES}/base.raw`);
  await defineDomain(
    nodeOn(machine),
    domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(`${NET}/a.img`, "vda") }),
  );
  return machine;
}

const revert = (node: Instance) => revertToSnapshot(node, UUID, { name: "s1", isForced: false });

test.each<readonly [string, () => Promise<Machine>, (node: Instance) => Promise<unknown>]>([
  ["a snapshot above a file there", () => machineAbove(`${NET}/a.img`), (node) => take(node, "s1")],
  ["a revert to an image above one there", () => withSnapshot(`${NET}/a.img`), revert],
  ["a snapshot beside another domain's disk there", besideOther, (node) => take(node, "s1")],
])("%s says so after two seconds, without the lock, and changes nothing", async (_, prepare, work) => {
  const machine = await prepare();
  machine.mounts.silent.add(NET);
  const before = snapshotOf(machine);
  const began = machine.nowMs;
  const { locked, node } = hanging(machine);
  const { kind, message } = await errorOf(work(node));
  expect([kind, message, locked]).toEqual([
    "timeout",
    expect.stringContaining(`the server of ${NET} has not answered`),
    [],
  ]);
  expect(machine.nowMs - began).toBe(ANSWER_MS);
  expect(snapshotOf(machine)).toEqual(before);
});

test.each<readonly [string, (node: Instance) => Promise<unknown>]>([
  ["a snapshot", (node) => take(node, "s2")],
  ["a revert", revert],
])("%s of a domain without a file there does not wait for it", async (_, work) => {
  const machine = await withSnapshot(`${IMAGES}/base.raw`);
  machine.mounts.silent.add(NET);
  const began = machine.nowMs;
  await work(hanging(machine).node);
  expect(machine.nowMs).toBe(began);
});

test("a snapshot's data is removed without a look at its images", async () => {
  const machine = await withSnapshot(`${NET}/a.img`);
  machine.mounts.silent.add(NET);
  const options = { name: "s1", which: "one", isMetadataOnly: true } as const;
  await deleteSnapshot(hanging(machine).node, UUID, options);
});

test("a snapshot above a file of a server that answers is taken", async () => {
  const machine = await machineAbove(`${NET}/a.img`);
  await take(nodeOn(machine), "s1");
  expect(machine.files.find(`${IMAGES}/own.s1`)).toBeDefined();
});

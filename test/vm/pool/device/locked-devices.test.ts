import { expect, test } from "bun:test";
import type { SvirtError } from "../../../../src/errors.ts";
import { registryOf } from "../../../../src/state/instance.ts";
import { buildPool } from "../../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../../src/vm/pool/define-pool.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { makeScsiMachine } from "../../../scenes/devices.ts";
import { MemoryLvm } from "../../../scenes/lvm.ts";
import { otherPoolXml } from "../../../scenes/pools.ts";
import { errorOf, nodeOn, OTHER } from "../../../scenes/scene.ts";

const MiB = 1024 * 1024;
/** The partition sda1, and its whole disk. */
const LOCKED = ["device-8:1", "device-8:0"];

/** A machine with a pool named other, and the locks that svirt has at each program that it runs. */
async function machineWith(type: "logical" | "fs", source: string) {
  const machine = makeScsiMachine();
  new MemoryLvm(machine, 68 * MiB);
  machine.files.put("/usr/sbin/mkfs.ext4", "file", {});
  const node = nodeOn(machine);
  await definePool(node, otherPoolXml(type, source));
  const locked: (readonly string[])[] = [];
  const run = machine.runProgram;
  machine.runProgram = (...words) => {
    locked.push([...machine.lockedImages]);
    return words[0]?.[0]?.includes("mkfs") === true ? { code: 0, errors: "" } : run(...words);
  };
  return { machine, node, locked };
}

const LOGICAL = "<source><device path='/dev/sda1'/><name>vg</name></source>";

test("pvcreate and vgcreate run while no guest can be started with the device or its whole disk", async () => {
  const { locked, machine, node } = await machineWith("logical", LOGICAL);
  await buildPool(node, "other");
  expect([locked, [...machine.lockedImages]]).toEqual([[LOCKED, LOCKED], []]);
});

test("mkfs runs while no guest can be started with the device or its whole disk", async () => {
  const source =
    "<source><device path='/dev/sda1'/><format type='ext4'/></source><target><path>/srv/disk</path></target>";
  const { locked, machine, node } = await machineWith("fs", source);
  await buildPool(node, "other", { formatting: "overwrite" });
  expect([locked, [...machine.lockedImages]]).toEqual([[LOCKED], []]);
});

test("a device is neither prepared nor locked any more after the refusal of a build", async () => {
  const { locked, machine, node } = await machineWith("logical", LOGICAL);
  const refusedBy = async (change: (on: Machine) => void): Promise<SvirtError> => {
    change(machine);
    return await errorOf(buildPool(node, "other"));
  };
  // As a QEMU that was started between two looks.
  const other = await refusedBy((on) => on.lockedImages.add("device-8:0"));
  expect(other.message).toContain("another program has locked it");
  machine.lockedImages.clear();
  const claim = { kind: "file", key: "device-8:0", sharing: "exclusive" } as const;
  expect((await refusedBy(() => registryOf(node).reserve(claim, OTHER))).kind).toBe("in-use");
  expect([locked, [...machine.lockedImages]]).toEqual([[], []]);
});

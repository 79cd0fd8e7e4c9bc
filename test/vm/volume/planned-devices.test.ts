import { describe, expect, test } from "bun:test";
import { formatSteps } from "../../../src/plan/steps/describe.ts";
import type { Step } from "../../../src/plan/steps/step.ts";
import { parseVolume } from "../../../src/storage/volume/document.ts";
import { planClone } from "../../../src/vm/volume/copy-volume.ts";
import { planVolume } from "../../../src/vm/volume/create-volume.ts";
import { planDeletion } from "../../../src/vm/volume/delete-volume.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { makeDevicePools } from "../../scenes/devices.ts";
import { bytesOf, EIGHT, machineWith, make } from "../../scenes/logical.ts";
import { MemorySfdisk } from "../../scenes/partitioner.ts";
import { errorOf, nodeOn } from "../../scenes/scene.ts";

const OWNED = "<target><permissions><mode>0640</mode><owner>7</owner></permissions></target>";
const PART = /\.svirt-[0-9a-f-]{36}\.volume/g;

/** Returns the printed steps of a plan, which changes nothing. */
async function planned(
  machine: Machine,
  plan: Promise<{ readonly steps: readonly Step[] }>,
): Promise<string[]> {
  const before = snapshot(machine);
  const { steps } = await plan;
  expect(snapshot(machine)).toEqual(before);
  return formatSteps(steps)
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/^ *\d+ +/, "").replace(PART, "PART"));
}

describe("the steps that svirt plan prints of a logical volume", () => {
  test("are the commands of LVM, with owner and mode", async () => {
    const { lvm, machine, node } = await machineWith();
    const volume = parseVolume(bytesOf("new", `${EIGHT}${OWNED}`));
    expect(await planned(machine, planVolume(node, "lv", { volume, flags: {} }))).toEqual([
      "create the volume vg-0/new: /usr/sbin/lvm lvcreate --name new -L 8192K vg-0 --yes",
      "change /dev/vg-0/new to mode 640, uid 7",
    ]);
    await make(node, "one");
    lvm.run.length = 0;
    expect(await planned(machine, planDeletion(node, { key: "one", pool: "lv" }))).toEqual([
      "delete the volume vg-0/one: /usr/sbin/lvm lvremove -f vg-0/one",
    ]);
    expect(lvm.run).toEqual([]);
  });

  test("of a copy give it its name when the data is there, and remove what a killed call left", async () => {
    const { lvm, machine, node } = await machineWith();
    await make(node, "one");
    const clone = planClone(node, "two", { source: { key: "one", pool: "lv" }, flags: { isReflink: false } });
    const steps = [
      "create the volume vg-0/two: /usr/sbin/lvm lvcreate --name PART -L 8192K vg-0 --yes",
      "write the data of /dev/dm-10 to /dev/vg-0/PART",
      "create the volume vg-0/two: /usr/sbin/lvm lvrename vg-0 PART two",
    ];
    expect(await planned(machine, clone)).toEqual(steps);
    lvm.addVolume("vg-0", { name: ".svirt-11111111-2222-4333-8444-000000000001.volume" });
    const volume = parseVolume(bytesOf("new", EIGHT));
    expect(await planned(machine, planVolume(node, "lv", { volume, flags: {} }))).toEqual([
      "remove the volume vg-0/PART: /usr/sbin/lvm lvremove -f vg-0/PART",
      "create the volume vg-0/new: /usr/sbin/lvm lvcreate --name new -L 8192K vg-0 --yes",
    ]);
  });

  test("are refused as the command is", async () => {
    const { node } = await machineWith();
    await make(node, "one");
    const volume = parseVolume(bytesOf("one", EIGHT));
    expect((await errorOf(planVolume(node, "lv", { volume, flags: {} }))).libvirt?.name).toBe(
      "VIR_ERR_STORAGE_VOL_EXIST",
    );
  });
});

describe("the steps that svirt plan prints of a partition", () => {
  function machineWithDisk() {
    const machine = makeDevicePools();
    const sectors = new TextEncoder().encode(`${2 * 1024 * 1024}\n`);
    machine.files.put("/sys/devices/sda/size", "file", { bytes: sectors });
    return { machine, sfdisk: new MemorySfdisk(machine), node: nodeOn(machine) };
  }
  const volume = parseVolume(bytesOf("sda2", "<capacity unit='MiB'>16</capacity>"));

  test("are the commands of sfdisk and partx", async () => {
    const { machine, node, sfdisk } = machineWithDisk();
    expect(await planned(machine, planVolume(node, "disk", { volume, flags: {} }))).toEqual([
      "make the partition sda2: /usr/sbin/sfdisk --quiet --append --no-reread /dev/sda (input: /dev/sda2 : start=4096, size=32768)",
      "show the partition 2 of /dev/sda, unless the kernel has read the table: /usr/bin/partx --add --nr 2 /dev/sda",
    ]);
    expect(await planned(machine, planDeletion(node, { key: "sda1", pool: "disk" }))).toEqual([
      "delete the partition /dev/sda1: /usr/sbin/sfdisk --quiet --no-reread --delete /dev/sda 1",
      "hide the partition 1 of /dev/sda, unless the kernel has read the table: /usr/bin/partx --delete --nr 1 /dev/sda",
    ]);
    expect(sfdisk.run).toEqual([]);
  });

  test("show the kernel first what a killed call has written into the table alone", async () => {
    const { machine, node, sfdisk } = machineWithDisk();
    sfdisk.parts.push({ node: "/dev/sda3", start: 65536, size: 2048, type: "A" });
    const [first] = await planned(machine, planVolume(node, "disk", { volume, flags: {} }));
    expect(first).toStartWith("show the partition 3 of /dev/sda");
    expect(sfdisk.run).toEqual([]);
  });
});

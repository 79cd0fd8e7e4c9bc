import { describe, expect, test } from "bun:test";
import { formatSteps } from "../../../../src/plan/steps/describe.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { recordOf } from "../../../scenes/hotplug.ts";
import { diskXml, domainXml, makeMachine, sweepAll, UUID } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const IMAGES = "/var/lib/images";
const VDA = "/machine/peripheral/virtio-disk0/virtio-backend";

async function runningMachine(): Promise<Machine> {
  const machine = makeMachine();
  const disks = diskXml(`${IMAGES}/private1.raw`, "vda") + diskXml(`${IMAGES}/top.qcow2`, "vdb");
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ disks }) });
  await runOn(machine, "define", "/vm.xml");
  await runOn(machine, "start", "vm1");
  return machine;
}

const inactive = async (machine: Machine): Promise<string> =>
  (await runOn(machine, "dumpxml", "vm1", "--inactive")).out;

function throttle(machine: Machine, id = VDA): Readonly<Record<string, unknown>> {
  return machine.processes.qemuOf(UUID)?.devices?.throttles.get(id) ?? {};
}

// Layout, families of limits and messages are those of libvirt: cmdBlkdeviotune() of tools/virsh-domain.c,
// qemuDomainSetBlockIoTune() and qemuDomainSetBlockIoTuneDefaults() of qemu_driver.c.

describe("blkdeviotune", () => {
  test("limits a disk of the running guest and of the definition separately", async () => {
    const machine = await runningMachine();
    const limits = ["--total-bytes-sec", "10M", "--read-iops-sec", "100"];
    expect(await runOn(machine, "blkdeviotune", "vm1", "vda", ...limits, "--live")).toEqual({
      code: 0,
      out: "\n",
      err: "",
    });
    expect(throttle(machine)).toMatchObject({ bps: 10_485_760, bps_rd: 0, iops: 0, iops_rd: 100 });
    expect(await inactive(machine)).not.toContain("iotune");
    await runOn(machine, "blkdeviotune", "vm1", `${IMAGES}/top.qcow2`, "--write-bytes-sec", "5", "--config");
    expect(throttle(machine, "/machine/peripheral/virtio-disk1/virtio-backend")).toEqual({});
    expect(await inactive(machine)).toContain("<write_bytes_sec>5</write_bytes_sec>");
    const shown = (await runOn(machine, "blkdeviotune", "vm1", "vda")).out.split("\n");
    expect(shown.slice(0, 5)).toEqual([
      "total_bytes_sec: 10485760",
      "read_bytes_sec : 0",
      "write_bytes_sec: 0",
      "total_iops_sec : 0",
      "read_iops_sec  : 100",
    ]);
    expect(shown[13]).toBe("group_name     : ");
    expect(shown).toHaveLength(22);
  });

  test("replaces the limits of a family alone, and 0 removes them", async () => {
    const machine = await runningMachine();
    const set = async (...words: string[]) => await runOn(machine, "blkdeviotune", "vm1", "vda", ...words);
    await set("--total-bytes-sec", "1000", "--total-iops-sec", "50");
    await set("--read-bytes-sec", "300");
    expect(throttle(machine)).toMatchObject({ bps: 0, bps_rd: 300, iops: 50 });
    await set("--read-bytes-sec", "300", "--read-bytes-sec-max", "600", "--read-bytes-sec-max-length", "3");
    await set("--read-bytes-sec-max-length", "0");
    expect(throttle(machine)).toMatchObject({ bps_rd_max: 600, bps_rd_max_length: 1 });
    await set("--total-iops-sec", "0", "--read-bytes-sec", "0", "--read-bytes-sec-max", "0");
    expect(throttle(machine)).toMatchObject({ bps_rd: 0, bps_rd_max: 0, iops: 0 });
  });

  test("gives the limits of a group to all of its disks", async () => {
    const machine = await runningMachine();
    const group = ["--group-name", "g1", "--config"];
    await runOn(machine, "blkdeviotune", "vm1", "vda", "--total-iops-sec", "70", ...group);
    await runOn(machine, "blkdeviotune", "vm1", "vdb", "--total-iops-sec", "90", ...group);
    expect((await inactive(machine)).match(/<total_iops_sec>90</g)).toHaveLength(2);
  });

  test("that was killed half way is taken back, and leaves no step behind", async () => {
    const machine = await runningMachine();
    await runOn(machine, "blkdeviotune", "vm1", "vda", "--total-iops-sec", "20", "--live");
    const before = recordOf(machine);
    const words = ["blkdeviotune", "vm1", "vda", "--total-iops-sec", "40", "--live"];
    expect((await runOn(machine, ...words, "--dry-run")).out).toBe(
      `  1  send QEMU block_set_io_throttle ${VDA}\n`,
    );
    await runOn(machine, ...words, "--crash-drill", "after:1").catch(() => undefined);
    expect(throttle(machine)["iops"]).toBe(40);
    await sweepAll(machine);
    expect(throttle(machine)["iops"]).toBe(20);
    expect(recordOf(machine)).toEqual(before);
    await runOn(machine, ...words);
    expect(formatSteps(recordOf(machine).steps)).toBe(formatSteps(before.steps));
  });

  test.each([
    [["sda", "--total-iops-sec", "1"], "disk 'sda' was not found in the domain config"],
    [["vda", "--total-iops-sec", "x"], "Unable to parse total-iops-sec parameter"],
    [
      ["vda", "--total-iops-sec", "1", "--read-iops-sec", "1"],
      "total and read/write of iops_sec cannot be set at the same time",
    ],
    [
      ["vda", "--total-iops-sec-max", "5"],
      "value 'total_iops_sec_max' cannot be set if 'total_iops_sec' is not",
    ],
    [
      ["vda", "--total-iops-sec", "9", "--total-iops-sec-max", "5"],
      "value 'total_iops_sec_max' cannot be smaller than 'total_iops_sec'",
    ],
    [["vda", "--total-bytes-sec", "1000000000000001"], "must be no more than 1000000000000000"],
  ])("%p is refused, and changes nothing", async (words, message) => {
    const machine = await runningMachine();
    const before = recordOf(machine);
    const { code, err } = await runOn(machine, "blkdeviotune", "vm1", ...words);
    expect(err).toContain(message);
    expect(code).toBeGreaterThan(1);
    expect(recordOf(machine)).toEqual(before);
    expect(throttle(machine)).toEqual({});
  });
});

import { describe, expect, test } from "bun:test";
import { startDomain } from "../../src/vm/start/start.ts";
import { wipeVolume } from "../../src/vm/volume/content/wipe-volume.ts";
import { makeDevicePools } from "../scenes/devices.ts";
import { domainXml, errorOf, labelOf, nodeOn, OTHER } from "../scenes/scene.ts";

function block(dev: string, more = ""): string {
  return `<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='${dev}'/><target dev='vda' bus='virtio'/>${more}</disk>`;
}

/** The SCSI disk sda by its generic node. */
const GENERIC =
  "<controller type='scsi' model='virtio-scsi'/><hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host2'/><address bus='0' target='0' unit='0'/></source></hostdev>";
const FIRST = { name: "first", uuid: OTHER };

describe("a block device that another guest reaches by another node", () => {
  test.each([
    ["a disk, whose partition a guest has", block("/dev/sda1"), block("/dev/sda")],
    ["a partition, whose disk a guest has", block("/dev/sda"), block("/dev/sda1")],
    ["a disk, whose generic node a guest has", GENERIC, block("/dev/sda")],
    ["a partition, whose disk's generic node a guest has", GENERIC, block("/dev/sda1")],
    ["a generic node, whose disk a guest has", block("/dev/sda"), GENERIC],
    ["a generic node, whose disk's partition a guest has", block("/dev/sda1"), GENERIC],
    ["a disk to read, whose partition a guest writes", block("/dev/sda1"), block("/dev/sda", "<readonly/>")],
  ])("is refused: %s", async (_, disks, second) => {
    const machine = makeDevicePools();
    const node = nodeOn(machine);
    await startDomain(node, domainXml({ ...FIRST, disks }));
    const before = ["/dev/sda", "/dev/sda1", "/dev/sg0"].map((path) => labelOf(machine, path));
    const error = await errorOf(startDomain(node, domainXml({ disks: second })));
    expect([error.kind, error.message]).toEqual([
      "in-use",
      expect.stringMatching(/^Cannot give \S+ to the guest: the guest first uses /),
    ]);
    expect(["/dev/sda", "/dev/sda1", "/dev/sg0"].map((path) => labelOf(machine, path))).toEqual(before);
  });

  test.each([
    ["two partitions of one disk", block("/dev/sda1"), block("/dev/sda5")],
    [
      "a disk and its partition, both only read",
      block("/dev/sda1", "<readonly/>"),
      block("/dev/sda", "<readonly/>"),
    ],
    ["different disks", block("/dev/sdb"), block("/dev/sda")],
  ])("is not refused: %s", async (_, disks, second) => {
    const node = nodeOn(makeDevicePools());
    await startDomain(node, domainXml({ ...FIRST, disks }));
    await startDomain(node, domainXml({ disks: second }));
  });

  test("is not refused: a character device with the number of another guest's disk", async () => {
    const machine = makeDevicePools();
    const node = nodeOn(machine);
    await startDomain(node, domainXml({ ...FIRST, disks: block("/dev/sda") }));
    const tty = machine.files.put("/dev/ttyX", "character", { node: "8:1" });
    tty.xattrs.set("security.selinux", "system_u:object_r:tty_device_t:s0");
    await startDomain(node, domainXml({ devices: "<serial type='dev'><source path='/dev/ttyX'/></serial>" }));
  });

  test("is not wiped while a guest has its generic node", async () => {
    const node = nodeOn(makeDevicePools());
    await startDomain(node, domainXml({ ...FIRST, disks: GENERIC }));
    const error = await errorOf(wipeVolume(node, { key: "unit:0:0:0", pool: "scsi" }, "zero"));
    expect([error.kind, error.message]).toEqual([
      "in-use",
      expect.stringContaining("the guest first uses another part of that disk"),
    ]);
  });
});

import { describe, expect, test } from "bun:test";
import { probeDiskFormat } from "../../../src/storage/volume/disk-format.ts";
import { formatScsiKey } from "../../../src/storage/volume/scsi-key.ts";
import { page83 } from "../../scenes/devices.ts";

const QEMU = { page80: undefined, vendor: "QEMU    ", model: "QEMU HARDDISK   " };
const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)];

// Names that udev gives such disks in /dev/disk/by-id: scsi- and the output of scsi_id(8).
describe("formatScsiKey()", () => {
  test("is the number of an NAA designator", () => {
    const naa = [0x60, 0x01, 0x40, 0x5a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    expect(formatScsiKey({ ...QEMU, page83: page83(3, 1, naa) })).toBe("36001405a0102030405060708090a0b0c");
  });

  test("is the vendor, the model and the name that QEMU gives a disk without a serial number", () => {
    const own = page83(0, 2, bytesOf("drive-scsi0-0-0-0"));
    expect(formatScsiKey({ ...QEMU, page83: own })).toBe("0QEMU_QEMU_HARDDISK_drive-scsi0-0-0-0");
  });

  test("is the text of a T10 designator with each run of blanks as one underscore", () => {
    const t10 = page83(1, 2, bytesOf("ATA     QEMU HARDDISK                           QM00001 "));
    expect(formatScsiKey({ ...QEMU, page83: t10 })).toBe("1ATA_QEMU_HARDDISK_QM00001");
  });

  test("prefers NAA to T10, and leaves the designators of ports out", () => {
    const t10 = page83(1, 2, bytesOf("LIO-ORG disk")).subarray(4);
    const port = page83(0x13, 1, [0x50, 0, 0, 0, 0, 0, 0, 1]).subarray(4);
    const naa = page83(3, 1, [0x50, 1, 0x40, 5, 0, 0, 0, 2]).subarray(4);
    const page = Uint8Array.of(0, 0x83, 0, t10.length + port.length + naa.length, ...t10, ...port, ...naa);
    expect(formatScsiKey({ ...QEMU, page83: page })).toBe("35001400500000002");
  });

  test("is the serial number of a device without designators, and none of a device without both", () => {
    const page80 = Uint8Array.of(0, 0x80, 0, 4, ...bytesOf("1234"));
    expect(formatScsiKey({ ...QEMU, page83: undefined, page80 })).toBe("SQEMU_QEMU_HARDDISK_1234");
    expect(formatScsiKey({ ...QEMU, page83: undefined })).toBeUndefined();
  });

  test("reads no byte behind a page that ends early", () => {
    for (let length = 0; length < 24; length += 1) {
      const page = page83(
        3,
        1,
        Array.from({ length: 16 }, () => 0x61),
      ).subarray(0, length);
      expect(formatScsiKey({ ...QEMU, page83: page })).toBe(
        length < 24 ? undefined : "361616161616161616161616161616161",
      );
    }
  });
});

// disk_types of libvirt's storage_util.c
test("probeDiskFormat() names the partition table, and GPT before the one that protects it", () => {
  const disk = new Uint8Array(1024);
  expect(probeDiskFormat(disk)).toBe("unknown");
  disk.set([0x55, 0xaa], 510);
  expect(probeDiskFormat(disk)).toBe("dos");
  disk.set(bytesOf("EFI PART"), 512);
  expect(probeDiskFormat(disk)).toBe("gpt");
  disk.set(bytesOf("LVM2 001"), 536);
  expect(probeDiskFormat(disk)).toBe("lvm2");
  expect(probeDiskFormat(disk.subarray(0, 100))).toBe("unknown");
});

import { describe, expect, test } from "bun:test";
import { decideResize, type Resize } from "../../../src/storage/volume/resized-volume.ts";

const VOLUME = { name: "v", format: "raw", capacityBytes: 100, allocationBytes: 40 };
const plain: Resize = { capacityBytes: 0, isDelta: false, isShrunk: false, isAllocated: false };

describe("decideResize()", () => {
  test.each([
    [{ capacityBytes: 200 }, 200, 0],
    [{ capacityBytes: 100 }, 100, 0],
    [{ capacityBytes: 50, isDelta: true }, 150, 0],
    [{ capacityBytes: 50, isDelta: true, isShrunk: true }, 50, 0],
    [{ capacityBytes: 60, isShrunk: true }, 60, 0],
    [{ capacityBytes: 200, isAllocated: true }, 200, 200],
  ])("%j", (resize, sizeBytes, reservedBytes) => {
    expect(decideResize(VOLUME, { ...plain, ...resize })).toEqual({ sizeBytes, reservedBytes });
  });

  // storageVolResize() of libvirt
  test.each([
    [
      { capacityBytes: 90 },
      "Can't shrink capacity below current capacity unless shrink flag explicitly specified",
    ],
    [{ capacityBytes: 30, isShrunk: true }, "can't shrink capacity below existing allocation"],
    [
      { capacityBytes: 500, isDelta: true, isShrunk: true },
      "can't shrink capacity below existing allocation",
    ],
    [{ capacityBytes: 60, isShrunk: true, isAllocated: true }, "--allocate and --shrink exclude each other"],
  ])("refuses %j", (resize, why) => {
    expect(() => decideResize(VOLUME, { ...plain, ...resize })).toThrow(why);
  });

  test.each(["raw", "qcow2"])("refuses a size of %s whose number would not be exact", (format) => {
    const most = Number.MAX_SAFE_INTEGER;
    const large = { ...VOLUME, format, capacityBytes: 2 ** 52 };
    const resize = { ...plain, capacityBytes: most, isDelta: true };
    expect(() => decideResize(large, resize)).toThrow("its capacity would be more than 8 PiB");
  });

  test("refuses a size of qcow2 that is not exact once it is rounded up to a sector", () => {
    const resize = { ...plain, capacityBytes: Number.MAX_SAFE_INTEGER };
    expect(() => decideResize({ ...VOLUME, format: "qcow2" }, resize)).toThrow("more than 8 PiB");
  });

  test.each(["qed", "vmdk", "luks"])("refuses %s by its name", (format) => {
    expect(() => decideResize({ ...VOLUME, format }, { ...plain, capacityBytes: 200 })).toThrow(format);
  });

  // storageBackendResizeQemuImg() and virStorageBackendVolResizeLocal() of libvirt
  test("rounds the size of qcow2 up to a sector, and allocates none of it", () => {
    const volume = { ...VOLUME, format: "qcow2" };
    expect(decideResize(volume, { ...plain, capacityBytes: 513 })).toEqual({
      sizeBytes: 1024,
      reservedBytes: 0,
    });
    expect(() => decideResize(volume, { ...plain, capacityBytes: 512, isAllocated: true })).toThrow(
      "Operation not supported: preallocate is only supported for raw type volume",
    );
  });
});

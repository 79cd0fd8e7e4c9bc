import { describe, expect, test } from "bun:test";
import { parseDevice } from "../../../src/domain/device.ts";
import type { Disk } from "../../../src/domain/devices/disk/disk.ts";
import { type MediumAction, putMedium } from "../../../src/vm/hotplug/medium.ts";
import { takeSource } from "../../../src/vm/hotplug/update-rules.ts";

function drive(device: string, inside = ""): Disk {
  const xml = `<disk type='file' device='${device}'><driver name='qemu' type='raw' cache='none'/>${inside}<target dev='sdb' bus='sata'/></disk>`;
  const found = parseDevice(new TextEncoder().encode(xml));
  if (found.element !== "disk") throw new Error("it is no disk");
  return found.value;
}

const EMPTY = drive("cdrom");
const FULL = drive("cdrom", "<source file='/srv/old.iso'/>");
const put = (one: Disk, action: MediumAction, path: string | undefined = undefined): Disk =>
  putMedium(one, action, { type: "file", path });
const sourceOf = ({ source }: Disk): unknown => (source === undefined ? undefined : Object.values(source)[0]);

describe("putMedium()", () => {
  test("puts another medium in, or takes it out, and leaves the drive as it is otherwise", () => {
    for (const [one, action, path] of [
      [EMPTY, "insert", "/srv/new.iso"],
      [FULL, "update", "/srv/new.iso"],
      [EMPTY, "update", "/srv/new.iso"],
      [FULL, "eject", undefined],
    ] as const) {
      const { driver, source: _, ...rest } = put(one, action, path);
      expect([action, sourceOf(put(one, action, path))]).toEqual([action, path]);
      expect(driver).toMatchObject({ name: "qemu", cache: "none" });
      expect(rest).toMatchObject({ device: "cdrom", target: { dev: "sdb", bus: "sata" }, type: "file" });
    }
  });

  // virshUpdateDiskXML() of libvirt
  test("refuses to empty an empty drive and to fill a full one", () => {
    expect(() => put(EMPTY, "eject")).toThrow("The disk device 'sdb' doesn't have media");
    expect(() => put(FULL, "insert", "/srv/new.iso")).toThrow("The disk device 'sdb' already has media");
  });

  test("refuses a disk that has no drive", () => {
    expect(() => put(drive("disk", "<source file='/srv/a.raw'/>"), "eject")).toThrow(
      "disk device type 'disk' cannot be changed",
    );
  });
});

test("takeSource() takes the images below a medium along, and those of the old one go", () => {
  const below =
    "<backingStore type='file'><format type='raw'/><source file='/srv/base.raw'/><backingStore/></backingStore>";
  const other = drive("cdrom", `<source file='/srv/new.qcow2'/>${below}`);
  expect(takeSource(EMPTY, other).backingStore).toEqual(other.backingStore);
  expect(other.backingStore).toBeDefined();
  expect(takeSource(other, FULL).backingStore).toBeUndefined();
});

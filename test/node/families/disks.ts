import { expect } from "bun:test";
import type { Notes } from "../harness/notes.ts";
import { aliasOf } from "./alias-of.ts";
import { answerTo, fileOfDescriptor, type Inspected } from "./inspect.ts";
import type { QemuDevice } from "./qtree.ts";
import { allAt, attributeAt, type Element } from "./xml-tree.ts";

/** Properties of each cache mode, qemu(1) -drive cache. The guest may change the disk's write cache later. */
const CACHE: ReadonlyMap<string, readonly [writeCache: string, direct: boolean, noFlush: boolean]> = new Map([
  ["", ["auto", false, false]],
  ["writeback", ["on", false, false]],
  ["none", ["on", true, false]],
  ["writethrough", ["off", false, false]],
  ["directsync", ["off", true, false]],
  ["unsafe", ["on", false, true]],
]);

/** Returns QEMU's driver of a `<disk>`, by its bus. https://libvirt.org/formatdomain.html */
function driverOf(disk: Element): string {
  const kind = disk.attributes["device"] === "cdrom" ? "cd" : "hd";
  switch (attributeAt(disk, ["target"], "bus")) {
    case "virtio":
      return "virtio-blk-pci";
    case "usb":
      return "usb-storage";
    case "scsi":
      return `scsi-${kind}`;
    default:
      return `ide-${kind}`;
  }
}

/**
 * Returns the driver of a disk's top block node. A raw image has no format node: its protocol node is the
 * disk.
 */
function formatOf(disk: Element): string {
  const format = attributeAt(disk, ["driver"], "type");
  if (format !== "raw") return format;
  return disk.attributes["type"] === "block" ? "host_device" : "file";
}

/** Expects the device at the place of the disk's `<address>`. */
function expectDrivePlace(disk: Element, device: QemuDevice): void {
  const address = allAt(disk, "address")[0]?.attributes ?? {};
  const { bus = "", controller = "", target = "", unit = "" } = address;
  const { properties } = device;
  switch (attributeAt(disk, ["target"], "bus")) {
    case "ide":
      expect([device.bus, properties.get("unit")]).toEqual([`ide.${bus}`, unit]);
      return;
    case "sata":
      expect(device.bus).toBe(`ide.${unit}`);
      return;
    case "scsi":
      expect([device.bus, properties.get("scsi-id"), properties.get("lun")]).toEqual([
        `scsi${controller}.0`,
        target,
        unit,
      ]);
      return;
    case "usb":
      expect([device.bus, properties.get("port")]).toEqual([`usb.${bus}`, address["port"]]);
      return;
  }
}

interface Drive {
  readonly qdev: string;
  readonly inserted: {
    readonly file: string;
    readonly drv: string;
    readonly ro: boolean;
    readonly cache: Readonly<Record<string, boolean>>;
    readonly image: { readonly "virtual-size": number };
  };
}
/** Flash devices of UEFI: its code, and its variables. */
const FLASH = /^\/machine\/system\.flash\d$/;

interface Set {
  readonly "fdset-id": number;
  readonly fds: readonly { readonly fd: number }[];
}

/**
 * Expects each disk of the XML: driver, place, file, format, size, read-only, cache. `sizes` are the images',
 * in bytes.
 */
export function expectDisks(
  { devices, notes, shown, written }: Inspected,
  sizes: ReadonlyMap<string, number>,
): void {
  const drives = answerTo<readonly Drive[]>(notes, "query-block");
  const targets = (from: Element): readonly string[] =>
    allAt(from, "devices", "disk")
      .map((disk) => attributeAt(disk, ["target"], "dev"))
      .toSorted();
  expect(targets(shown)).toEqual(targets(written));
  expect(drives.filter(({ qdev }) => !FLASH.test(qdev)).length).toBe(targets(written).length);
  for (const disk of allAt(written, "devices", "disk")) {
    const target = attributeAt(disk, ["target"], "dev");
    const asShown = allAt(shown, "devices", "disk").find(
      (one) => attributeAt(one, ["target"], "dev") === target,
    );
    const id = aliasOf(asShown ?? disk, 0);
    const device = devices.get(id);
    const drive = drives.find(({ qdev }) => new RegExp(`(?:^|/)${id}(?:/|$)`).test(qdev));
    if (device === undefined || drive === undefined) throw new Error(`QEMU has no disk ${target} (${id})`);
    expect([target, device.driver]).toEqual([target, driverOf(disk)]);
    const [writeCache, direct, noFlush] = CACHE.get(attributeAt(disk, ["driver"], "cache")) ?? [];
    expectDrivePlace(asShown ?? disk, device);
    expect([target, device.properties.get("write-cache")]).toEqual([target, writeCache]);
    const source = attributeAt(disk, ["source"], "file") + attributeAt(disk, ["source"], "dev");
    expect({ target, opened: openedBy(notes, drive.inserted.file) }).toEqual({ target, opened: source });
    expect({ target, ...drive.inserted }).toMatchObject({
      target,
      drv: formatOf(disk),
      ro: allAt(disk, "readonly").length > 0,
      cache: { direct, "no-flush": noFlush },
      image: { "virtual-size": sizes.get(source) },
    });
  }
}

/** Returns the host file behind a set of descriptors. */
function openedBy(notes: Notes, file: string): string {
  const sets = answerTo<readonly Set[]>(notes, "query-fdsets");
  const set = sets.find((one) => file === `/dev/fdset/${one["fdset-id"]}`);
  return fileOfDescriptor(notes, String(set?.fds[0]?.fd));
}

/** Returns the files behind the machine's flash, in order, and whether they are read-only. */
export function listFlash(notes: Notes): readonly (readonly [file: string, isReadOnly: boolean])[] {
  return answerTo<readonly Drive[]>(notes, "query-block")
    .filter(({ qdev }) => FLASH.test(qdev))
    .toSorted((one, other) => one.qdev.localeCompare(other.qdev))
    .map(({ inserted }) => [openedBy(notes, inserted.file), inserted.ro]);
}

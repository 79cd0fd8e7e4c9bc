import type { Host } from "../../host/host.ts";
import type { Draft } from "../../xml/draft.ts";
import { baseOf, capabilityDraft, readBinary, readFact, readNumber, texts, ueventOf } from "./sysfs.ts";

/** Unit of `size` in sysfs, whatever the blocks of the device are. */
const SECTOR_BYTES = 512;
/** Size of a CD-ROM drive without a medium, in sectors. linux drivers/scsi/sr.c get_sectorsize() */
const NO_MEDIUM = 0x1f_ff_ff;
/** Length of the longest page of vital product data. SPC-4, 7.8 */
const PAGE_BYTES = 4096;

/** Types of drives. udevProcessStorage() of libvirt */
type DriveType = "disk" | "cdrom" | "floppy" | "sd";

/** Returns the type of a block device; undefined for a device unlisted by libvirt, such as a loop device. */
export function driveTypeOf(host: Host, path: string): DriveType | undefined {
  const name = baseOf(path);
  // The disk of a single path to an NVMe device has no node.
  if (ueventOf(host, path, "DEVNAME") === undefined) return undefined;
  if (/^(?:vd|nvme)/.test(name)) return "disk";
  if (/^fd\d/.test(name)) return "floppy";
  if (name.startsWith("mmcblk")) return readFact(host, `${path}/device/type`) === "SD" ? "sd" : undefined;
  const scsi = /^(?:sd|sr)/.test(name) ? readFact(host, `${path}/device/type`) : undefined;
  if (scsi === "0") return "disk";
  return scsi === "5" ? "cdrom" : undefined;
}

/**
 * Returns the serial number of a block device as udev's rules make it, which is a part of the device's name.
 * Undefined if the device has none. systemd rules.d/60-persistent-storage.rules, src/udev/scsi_id
 */
export function serialOf(host: Host, path: string): string | undefined {
  const read = (file: string): string => readFact(host, `${path}/${file}`) ?? "";
  const name = baseOf(path);
  const parts = (): readonly string[] => {
    if (name.startsWith("vd")) return [read("serial")];
    if (name.startsWith("nvme")) {
      const serial = read("device/serial");
      return serial === "" ? [] : [read("device/model"), serial, read("nsid")];
    }
    const isAta = read("device/vendor") === "ATA";
    const page = readBinary(host, `${path}/device/vpd_pg83`, PAGE_BYTES);
    return [identifierIn(page, isAta, `${read("device/vendor")} ${read("device/model")}`) ?? ""];
  };
  return parts().filter(Boolean).join("_").trim().replace(/\s+/g, "_") || undefined;
}

/** Designators in scsi_id's order of preference: type, and the first digit of a NAA number. scsi_serial.c */
const PREFERRED: readonly (readonly [type: number, naa?: number])[] = [[3, 6], [3, 5], [3, 2], [2], [1], [0]];
const ASCII = 2;

/**
 * Returns the best designator of a device identification page, after the digit of its type. For a disk behind
 * ATA that is model and serial number, as ata_id prints them. SPC-4, 7.8.6
 */
export function identifierIn(page: Uint8Array, isAta: boolean, model: string): string | undefined {
  const all = designatorsIn(page);
  const t10 = all.find(({ type }) => type === 1);
  if (isAta && t10 !== undefined) return textOf(t10.value).replace(/^ATA\s+/, "");
  for (const [type, naa] of PREFERRED) {
    const found = all.find(
      (one) => one.type === type && (naa === undefined || (one.value[0] ?? 0) >> 4 === naa),
    );
    if (found === undefined) continue;
    const text = found.codeSet === ASCII ? textOf(found.value) : found.value.toHex();
    return `${type}${type === 0 ? `${model} ` : ""}${text}`;
  }
  return undefined;
}

interface Designator {
  readonly codeSet: number;
  readonly type: number;
  readonly value: Uint8Array;
}

/** Lists the designators of the logical unit itself. */
function designatorsIn(page: Uint8Array): readonly Designator[] {
  const found: Designator[] = [];
  const end = Math.min(page.length, 4 + ((page[2] ?? 0) << 8) + (page[3] ?? 0));
  for (let at = 4; at + 4 <= end; ) {
    const [codeSet = 0, kind = 0, , length = 0] = page.subarray(at, at + 4);
    if ((kind & 0x30) === 0)
      found.push({
        codeSet: codeSet & 0x0f,
        type: kind & 0x0f,
        value: page.subarray(at + 4, at + 4 + length),
      });
    at += 4 + length;
  }
  return found;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes).replace(/\0.*$/s, "").trim();
}

/** Describes a block device. virNodeDeviceCapStorageDefFormat() of libvirt */
export function describeStorage(host: Host, path: string): readonly Draft[] {
  const type = driveTypeOf(host, path);
  const blockBytes = readNumber(host, `${path}/queue/logical_block_size`) ?? SECTOR_BYTES;
  const sectors = readNumber(host, `${path}/size`) ?? 0;
  const bytes = sectors * SECTOR_BYTES;
  const blocks = texts({ logical_block_size: blockBytes, num_blocks: Math.floor(bytes / blockBytes) });
  const head = texts({
    block: `/dev/${ueventOf(host, path, "DEVNAME")}`,
    bus: busOf(host, path),
    drive_type: type,
    model: readFact(host, `${path}/device/model`),
    vendor: readFact(host, `${path}/device/vendor`),
    serial: serialOf(host, path),
  });
  if (readFact(host, `${path}/removable`) !== "1") return [...head, ...texts({ size: bytes }), ...blocks];
  const hasMedium = sectors > 0 && !(type === "cdrom" && sectors === NO_MEDIUM);
  const media = texts({ media_available: hasMedium ? 1 : 0, media_size: hasMedium ? bytes : 0 });
  return [...head, capabilityDraft("removable", [...media, ...(hasMedium ? blocks : [])])];
}

/** ID_BUS of udev's rules. */
function busOf(host: Host, path: string): string | undefined {
  if (!/^(?:sd|sr)/.test(baseOf(path))) return undefined;
  if (/\/usb\d+\//.test(path)) return "usb";
  return readFact(host, `${path}/device/vendor`) === "ATA" ? "ata" : "scsi";
}

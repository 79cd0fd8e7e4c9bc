import { SvirtError, unlessRefused } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import type { ImageHeader, ImageName } from "../../images/element.ts";
import {
  HEADER_BYTES,
  ISO_MARK,
  isIsoMark,
  parseImageHeader,
  probeImageFormat,
} from "../../images/header.ts";
import { resolveImageName } from "../../images/name.ts";
import type { Qcow2Properties } from "../../images/qcow2-features.ts";
import { parseQcow2Options } from "../../images/qcow2-header.ts";

/** Length of a file's beginning that has the magic of every format. */
const MAGIC_BYTES = 512;

/** Image as its first bytes describe it, which a guest may have written. */
export interface VolumeImage {
  readonly format: string;
  /** Undefined: that of the file, or of a format that svirt does not read. */
  readonly capacityBytes?: number;
  readonly backing?: ImageName;
  /** Whether the backing file's name depends on the image's folder. */
  readonly isBackingRelative?: boolean;
  /** File with the data of an image that has only the tables. */
  readonly dataFile?: ImageName;
  /** Properties of a qcow2 image. */
  readonly options?: Qcow2Properties;
  readonly encryption?: ImageHeader["encryption"];
}

/**
 * Describes an image by its first bytes. Most images are raw, of which little is read: a pool may have thousands. Throws
 * "failed" for a broken header, "unsupported" for one that svirt cannot follow.
 */
export function readVolumeImage(host: Host, { id, sizeBytes }: FileFacts): VolumeImage {
  const first = host.readBytes(id, 0, MAGIC_BYTES);
  const format = probeImageFormat(first);
  if (format === "raw") return { format: isIso(host, { id, sizeBytes }) ? "iso" : format };
  if (format === "luks") return readLuks(host, { id, sizeBytes });
  if (format !== "qcow2" && format !== "qed") return readOther(format, first);
  const bytes = host.readBytes(id, 0, HEADER_BYTES);
  const header = parseImageHeader(bytes, format);
  const { backingFile, backingFormat, dataFile, encryption, virtualSizeBytes = 0 } = header;
  return {
    format,
    capacityBytes: virtualSizeBytes,
    ...(format === "qcow2" ? { options: parseQcow2Options(bytes) } : {}),
    ...(backingFile === undefined ? {} : backingOf(id.path, backingFile, backingFormat)),
    ...(encryption === undefined ? {} : { encryption }),
    ...(dataFile === undefined ? {} : { dataFile: resolveImageName(id.path, dataFile) }),
  };
}

function backingOf(
  path: string,
  written: string,
  writtenFormat: string | undefined,
): Pick<VolumeImage, "backing" | "isBackingRelative"> {
  const found = resolveImageName(path, written);
  const format = found.format ?? writtenFormat;
  return {
    backing: { path: found.path, ...(format === undefined ? {} : { format }) },
    isBackingRelative: !written.includes(found.path),
  };
}

/** Describes an image that no guest of svirt has. Of some formats the size is read, as libvirt's. */
function readOther(format: string, first: Uint8Array): VolumeImage {
  if (format !== "vmdk" && format !== "vpc") return { format };
  const {
    foreignCapacity,
  }: typeof import("../../images/foreign-size.ts") = require("../../images/foreign-size.ts");
  const capacityBytes = foreignCapacity(format, first);
  return { format, ...(capacityBytes === undefined ? {} : { capacityBytes }) };
}

/** Describes a LUKS volume, whose header a guest may have written. One that QEMU does not open has no capacity. */
function readLuks(host: Host, { id, sizeBytes }: Pick<FileFacts, "id" | "sizeBytes">): VolumeImage {
  const format = "luks";
  const {
    parseLuksHeader,
  }: typeof import("../../images/luks-header.ts") = require("../../images/luks-header.ts");
  const read = (): ImageHeader => parseLuksHeader(host.readBytes(id, 0, MAGIC_BYTES * 2), sizeBytes);
  const header = unlessRefused(read);
  return header === undefined
    ? { format }
    : { format, encryption: format, capacityBytes: header.virtualSizeBytes ?? 0 };
}

/**
 * Describes an image as a format that is declared, or as its first bytes do. A device is raw, whatever a guest has written there. Throws
 * "unsupported" for an image of another format than the declared one; as readVolumeImage().
 */
export function readDeclaredImage(
  host: Host,
  facts: FileFacts,
  declared: "raw" | "qcow2" | undefined,
): VolumeImage {
  const isRaw = facts.type === "block" || declared === "raw";
  const image: VolumeImage = isRaw ? { format: "raw" } : readVolumeImage(host, facts);
  if (declared !== undefined && declared !== image.format) throw otherFormat(facts.id.path, image.format);
  return image;
}

function otherFormat(path: string, format: string): SvirtError {
  return new SvirtError(`Cannot copy ${path}: its format is ${format}`, {
    kind: "unsupported",
    remedy: "Leave --inputformat out.",
  });
}

function isIso(host: Host, { id, sizeBytes }: Pick<FileFacts, "id" | "sizeBytes">): boolean {
  const { length, offset } = ISO_MARK;
  return sizeBytes >= offset + length && isIsoMark(host.readBytes(id, offset, length));
}

import { SvirtError, unlessRefused } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import type { ImageHeader, ImageName } from "../../images/element.ts";
import { claimedFormat, HEADER_BYTES, parseImageHeader } from "../../images/header.ts";
import { resolveImageName } from "../../images/name.ts";
import type { Qcow2Properties } from "../../images/qcow2-features.ts";
import { parseQcow2Options } from "../../images/qcow2-header.ts";
import { type FileFormats, fileFormats } from "../../resolve/formats/file-formats.ts";
import type { Instance } from "../../state/instance.ts";

/** Length of a file's beginning that has the magic of every format. */
const MAGIC_BYTES = 512;

/** Image as its header describes it, which is that of its format. */
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
 * Describes the image in a file by the header of its format, as fileFormats() decides it. Throws as
 * readVolumeImage().
 */
export function describeImage({ host }: Instance, facts: FileFacts, formats: FileFormats): VolumeImage {
  return readVolumeImage(host, facts, formats.of(facts));
}

/**
 * Describes an image by the header of its format. Of a raw one nothing is read: a pool may have thousands.
 * Throws "failed" for a broken header, "unsupported" for one that svirt cannot follow.
 */
export function readVolumeImage(host: Host, { id, sizeBytes }: FileFacts, format: string): VolumeImage {
  if (format === "raw" || format === "iso") return { format };
  if (format === "luks") return readLuks(host, { id, sizeBytes });
  if (format !== "qcow2" && format !== "qed") return readOther(format, host.readBytes(id, 0, MAGIC_BYTES));
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

/**
 * Describes a LUKS volume, whose header a guest may have written. One that QEMU does not open has no
 * capacity.
 */
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
 * Describes an image as a format that the operator declares, or as describeImage(). A device is raw, whatever
 * a guest has written there. Throws "unsupported" for an image that does not have the declared format; as
 * readVolumeImage().
 */
export function readDeclaredImage(
  instance: Instance,
  facts: FileFacts,
  declared: "raw" | "qcow2" | undefined,
): VolumeImage {
  const { host } = instance;
  if (facts.type === "block" || declared === "raw") {
    if (declared === "qcow2") throw otherFormat(facts.id.path, "raw");
    return { format: "raw" };
  }
  if (declared === undefined) return describeImage(instance, facts, fileFormats(instance));
  const claimed = claimedFormat(host.readBytes(facts.id, 0, MAGIC_BYTES));
  if (claimed !== declared) throw otherFormat(facts.id.path, claimed);
  return readVolumeImage(host, facts, declared);
}

function otherFormat(path: string, format: string): SvirtError {
  return new SvirtError(`Cannot copy ${path}: its format is ${format}`, {
    kind: "unsupported",
    remedy: "Leave --inputformat out.",
  });
}

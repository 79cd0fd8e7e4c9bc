import { SvirtError } from "../errors.ts";
import type { FileFacts } from "../host/files.ts";
import type { ImagePart } from "../images/element.ts";
import { HEADER_BYTES, parseImageHeader } from "../images/header.ts";
import type { Instance } from "../state/instance.ts";

/** QEMU's unit of the size of a disk. BDRV_SECTOR_SIZE of qemu.git */
const SECTOR_BYTES = 512;

/** Inspected image. */
export interface InspectedImage {
  readonly path: string;
  readonly format: "raw" | "qcow2" | "qed";
  readonly facts: FileFacts;
  /** Absent if the whole file is the image. */
  readonly slice?: ImagePart | undefined;
  /** Whether QEMU decrypts it. */
  readonly isEncrypted?: true | undefined;
}

/** Returns the size of an image for the guest, in bytes. Throws "failed". */
export function imageSize(instance: Instance, image: InspectedImage): number {
  const { facts, format, isEncrypted, slice } = image;
  if (format === "raw") {
    const size = slice?.size ?? physicalSize(instance, image);
    if (isEncrypted === true) return luksSize(instance, image, size);
    return Math.ceil(size / SECTOR_BYTES) * SECTOR_BYTES;
  }
  const header = parseImageHeader(
    instance.host.readBytes(facts.id, slice?.offset ?? 0, HEADER_BYTES),
    format,
  );
  return header.virtualSizeBytes ?? 0;
}

function luksSize({ host }: Instance, { facts, slice }: InspectedImage, sizeBytes: number): number {
  const { parseLuksHeader }: typeof import("../images/luks-header.ts") = require("../images/luks-header.ts");
  return (
    parseLuksHeader(host.readBytes(facts.id, slice?.offset ?? 0, HEADER_BYTES), sizeBytes).virtualSizeBytes ??
    0
  );
}

/** Returns the size of a file or device, in bytes. Throws "failed". */
export function physicalSize(
  instance: Instance,
  { facts, path }: Pick<InspectedImage, "facts" | "path">,
): number {
  if (facts.type === "file") return facts.sizeBytes;
  const { deviceBytes }: typeof import("./pools/pool-device.ts") = require("./pools/pool-device.ts");
  const sizeBytes = deviceBytes(instance.host, facts);
  if (sizeBytes > 0) return sizeBytes;
  throw new SvirtError(`Cannot read the size of ${path}: the kernel does not report it`, {
    kind: "failed",
    remedy: "Name a regular file or a block device.",
  });
}

import { SvirtError } from "../../errors.ts";
import { HEADER_BYTES, parseImageHeader } from "../../storage/image-header.ts";
import type { Node } from "../node.ts";
import type { RunningImage } from "./running-disk.ts";

/** QEMU counts a disk in sectors, as the kernel does. BDRV_SECTOR_SIZE of qemu.git; sysfs-block */
const SECTOR_BYTES = 512;

/** The guest's view of an image's size. Throws "failed". */
export function imageSize(node: Node, { found }: RunningImage): number {
  const { facts, format, path } = found;
  if (format !== "raw") {
    const header = parseImageHeader(node.host.readBytes(facts.id, 0, HEADER_BYTES), format);
    return header.virtualSizeBytes ?? 0;
  }
  if (facts.type === "file") return Math.ceil(facts.sizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
  const sectors = Number(node.host.readText(`/sys/dev/block/${facts.id.node}/size`)?.trim());
  if (Number.isSafeInteger(sectors) && sectors > 0) return sectors * SECTOR_BYTES;
  throw new SvirtError(`Cannot tell the size of ${path}: the kernel does not`, { kind: "failed" });
}

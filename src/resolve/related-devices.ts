import type { Host } from "../host/host.ts";
import type { FileId } from "../plan/facts/file.ts";

/** Folders of block devices in sysfs, by their numbers. */
export const BY_NUMBER = "/sys/dev/block";
/** Number of a generic node of a SCSI device. linux/major.h SCSI_GENERIC_MAJOR */
const GENERIC = /^21:/;

/** Device node through which the data of another one is reached: its path, its folder in sysfs, and its number. */
export interface RelatedDevice {
  readonly name: string;
  readonly folder: string;
  readonly number: string;
  /** Relation to the device that was asked for. */
  readonly is: "partition" | "disk" | "generic node";
}

/**
 * Lists the nodes of the host through which data of a block device or of a generic node is reached, too: the partitions of a disk, the disk
 * of a partition, and the generic node of a SCSI disk. Other partitions of the same disk are none.
 */
export function listRelated(host: Host, { node = "" }: Pick<FileId, "node">): readonly RelatedDevice[] {
  if (isGenericNode({ node })) return listDisks(host, `/sys/dev/char/${node}/device/block`);
  const folder = `${BY_NUMBER}/${node}`;
  if (host.readText(`${folder}/partition`) === undefined)
    return [...listPartitions(host, folder), ...listGeneric(host, folder)];
  const path = host.inspectFile(folder)?.id.path ?? "";
  const above = path.slice(0, path.lastIndexOf("/"));
  return above === "" ? [] : [relatedAt(host, above, "disk"), ...listGeneric(host, above)];
}

/** Whether a node is the generic node of a SCSI device. Other character devices may have the number of a block device. */
export function isGenericNode({ node = "" }: Pick<FileId, "node">): boolean {
  return GENERIC.test(node);
}

function listDisks(host: Host, blocks: string): readonly RelatedDevice[] {
  return host.listFolder(blocks).flatMap((name) => {
    const folder = `${blocks}/${name}`;
    return [relatedAt(host, folder, "disk"), ...listPartitions(host, folder)];
  });
}

function listPartitions(host: Host, folder: string): readonly RelatedDevice[] {
  return host
    .listFolder(folder)
    .filter((name) => host.readText(`${folder}/${name}/partition`) !== undefined)
    .map((name) => relatedAt(host, `${folder}/${name}`, "partition"));
}

/** The driver sg makes one generic node of each SCSI device. */
function listGeneric(host: Host, disk: string): readonly RelatedDevice[] {
  const folder = `${disk}/device/scsi_generic`;
  return host.listFolder(folder).map((name) => relatedAt(host, `${folder}/${name}`, "generic node"));
}

function relatedAt(host: Host, folder: string, is: RelatedDevice["is"]): RelatedDevice {
  const name = `/dev/${folder.slice(folder.lastIndexOf("/") + 1)}`;
  return { name, folder, number: host.readText(`${folder}/dev`)?.trim() ?? "", is };
}

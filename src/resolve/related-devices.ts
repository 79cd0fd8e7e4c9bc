import { unlessRefused } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { FileId } from "../plan/facts/file.ts";

/** Folders of block devices in sysfs, by their numbers. */
export const BY_NUMBER = "/sys/dev/block";
/** Number of a generic node of a SCSI device. linux/major.h SCSI_GENERIC_MAJOR */
const GENERIC = /^21:/;

/** Folder of the disks of the host in sysfs. */
const DISKS = "/sys/block";
/**
 * Worldwide identifier of a logical unit. Others, such as the names of emulated disks, may belong to several.
 * scsi_vpd_lun_id() of Linux
 */
const WORLDWIDE = /^(?:naa|eui|uuid)[.](?!0+$)/;

/** Device node with the data of another: its path, its folder in sysfs, and its number. */
export interface RelatedDevice {
  readonly name: string;
  readonly folder: string;
  readonly number: string;
  /** Relation to the requested device. */
  readonly is: "partition" | "disk" | "generic node" | "other path";
}

/**
 * Lists the nodes of the host with data of a block device or of a generic node: the partitions of a disk, the
 * disk of a partition, and the generic node of a SCSI disk. Other partitions of the same disk are none. A
 * logical unit with several paths is several disks, unless multipathd has joined them: the same parts of the
 * others are listed, too.
 */
export function listRelated(host: Host, { node = "" }: Pick<FileId, "node">): readonly RelatedDevice[] {
  if (isGenericNode({ node })) return listDisks(host, `/sys/dev/char/${node}/device/block`);
  const folder = `${BY_NUMBER}/${node}`;
  const part = host.readText(`${folder}/partition`);
  if (part === undefined)
    return [...listPartitions(host, folder), ...listGeneric(host, folder), ...listOtherPaths(host, folder)];
  const path = host.inspectFile(folder)?.id.path ?? "";
  const above = path.slice(0, path.lastIndexOf("/"));
  if (above === "") return [];
  return [relatedAt(host, above, "disk"), ...listGeneric(host, above), ...listOtherPaths(host, above, part)];
}

/** Lists the other nodes of a whole disk: its generic node, and the nodes of its other paths. */
export function listWholes(host: Host, disk: Pick<FileId, "node">): readonly RelatedDevice[] {
  return listRelated(host, disk).filter(({ is }) => is !== "partition");
}

/**
 * Whether a node is the generic node of a SCSI device. Other character devices may have the number of a block
 * device.
 */
export function isGenericNode({ node = "" }: Pick<FileId, "node">): boolean {
  return GENERIC.test(node);
}

function listDisks(host: Host, blocks: string): readonly RelatedDevice[] {
  return host.listFolder(blocks).flatMap((name) => {
    const folder = `${blocks}/${name}`;
    const own = [relatedAt(host, folder, "disk"), ...listPartitions(host, folder)];
    return [...own, ...listOtherPaths(host, folder)];
  });
}

/**
 * Lists the disks with the identifier of a disk, with their generic nodes and their partitions: all, or the
 * partition of a number.
 */
function listOtherPaths(host: Host, disk: string, part?: string): readonly RelatedDevice[] {
  const identifier = identifierOf(host, disk);
  if (identifier === undefined) return [];
  const number = host.readText(`${disk}/dev`);
  return host.listFolder(DISKS).flatMap((name) => {
    const folder = `${DISKS}/${name}`;
    if (identifierOf(host, folder) !== identifier || host.readText(`${folder}/dev`) === number) return [];
    const parts = listPartitions(host, folder).filter(
      (one) => part === undefined || host.readText(`${one.folder}/partition`) === part,
    );
    return [relatedAt(host, folder, "other path"), ...parts, ...listGeneric(host, folder)];
  });
}

/** Returns the kernel's identifier of a SCSI disk; undefined for an ambiguous identifier. */
function identifierOf(host: Host, disk: string): string | undefined {
  // The kernel answers with an error for a disk without identifiers.
  const text = unlessRefused(() => host.readText(`${disk}/device/wwid`))?.trim() ?? "";
  return WORLDWIDE.test(text) ? text : undefined;
}

function listPartitions(host: Host, folder: string): readonly RelatedDevice[] {
  return host
    .listFolder(folder)
    .filter((name) => host.readText(`${folder}/${name}/partition`) !== undefined)
    .map((name) => relatedAt(host, `${folder}/${name}`, "partition"));
}

/** The driver sg makes a generic node of each SCSI device. */
function listGeneric(host: Host, disk: string): readonly RelatedDevice[] {
  const folder = `${disk}/device/scsi_generic`;
  return host.listFolder(folder).map((name) => relatedAt(host, `${folder}/${name}`, "generic node"));
}

function relatedAt(host: Host, folder: string, is: RelatedDevice["is"]): RelatedDevice {
  const name = `/dev/${folder.slice(folder.lastIndexOf("/") + 1)}`;
  return { name, folder, number: host.readText(`${folder}/dev`)?.trim() ?? "", is };
}

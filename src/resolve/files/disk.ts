import type { ImageFile, LabelOverride, Resource } from "../../domain/resources/resource.ts";
import { SvirtError } from "../../errors.ts";
import type { FileType } from "../../host/file-attributes.ts";
import type { FileFacts } from "../../host/files.ts";
import { type FoundElement, type ImageReader, walkChain } from "../../images/chain.ts";
import type { FileRole } from "../../label/role.ts";
import { LABEL_ROLES, useOfDisk } from "../../label/roles.ts";
import { folderOf } from "../../plan/folder-of.ts";

/** Disk with images. */
export type DiskResource = Extract<Resource, { kind: "disk" }>;

/** Image of a disk, with its role. */
export interface ResolvedImage {
  readonly element: FoundElement<FileFacts>;
  readonly role: FileRole;
  readonly override: LabelOverride | undefined;
  /** An image's header names it, not the XML. */
  readonly isNamedByImage?: true;
}

/**
 * Lists the images of a disk, top first, each followed by its data file. Headers name the images that the XML
 * does not. Throws "not-found", "unsupported", "denied", "failed".
 */
export function resolveDisk(reader: Reader, disk: DiskResource): ResolvedImage[] {
  const images: readonly ImageFile[] = [disk, ...disk.backing];
  let override: LabelOverride | undefined;
  return images.flatMap((image, depth) => {
    // An override in the XML applies to the images below, up to the next override.
    override = image.override ?? override;
    const goesOn = depth === images.length - 1 && disk.below === "as-probed";
    return resolveOneImage(reader, { image, depth, goesOn, disk, override });
  });
}

type Reader = ImageReader<FileFacts>;

const BACKING = LABEL_ROLES["backing-image"]["read-only"].role;

interface Depth {
  readonly disk: DiskResource;
  readonly image: ImageFile;
  /** 0 for the disk's own image. */
  readonly depth: number;
  /** Whether its header names the image below, not the XML. */
  readonly goesOn: boolean;
  readonly override: LabelOverride | undefined;
}

function resolveOneImage(reader: Reader, { depth, disk, goesOn, image, override }: Depth): ResolvedImage[] {
  const readOnly = depth > 0 || disk.access === "read-only";
  const { dataFile, isEncrypted, path, slice } = image;
  const below = goesOn ? "as-probed" : "nothing";
  const walked = walkChain(
    { path, format: formatOf(image), readOnly, slice, isEncrypted, dataFile, below },
    reader,
  );
  for (const element of walked) refuseOutside(element);
  const [own, data] = walked;
  if (own !== undefined) refuseOtherType(image, own.facts.type);
  const hasData = data?.role === "data-file";
  if (hasData && dataFile !== undefined) refuseOtherType(dataFile, data.facts.type);
  // qemu-img puts the data file in the image's folder. A path with `..` is never in that folder.
  if (hasData && dataFile === undefined && !readOnly && folderOf(path) !== folderOf(data.path))
    throw unsaidData(path, data.path);
  const role = depth === 0 ? LABEL_ROLES.disk[useOfDisk(disk)].role : BACKING;
  return walked.map((element, at) => {
    if (at === 0) return { element: depth > 0 ? { ...element, role: "backing" } : element, role, override };
    if (at > 1 || !hasData) return { element, role: BACKING, override, isNamedByImage: true };
    // An override of an image applies to its data file, unless that has its own.
    const used = { element, role, override: dataFile?.override ?? override };
    return dataFile === undefined ? { ...used, isNamedByImage: true } : used;
  });
}

function formatOf({ format = "raw", path }: ImageFile): "raw" | "qcow2" {
  if (format === "raw" || format === "qcow2") return format;
  throw new SvirtError(`Cannot use ${path} as a disk: svirt does not support images of format ${format}`, {
    kind: "unsupported",
    remedy: "Convert it to qcow2 with qemu-img(1).",
  });
}

/**
 * Unit in which QEMU counts the size of raw images: BDRV_SECTOR_SIZE of qemu.git include/block/block-common.h
 */
const SECTOR_BYTES = 512;

/**
 * Refuses a part of a file that QEMU would not accept as an image. qemu.git block/raw-format.c; a device has
 * no size here.
 */
function refuseOutside({ facts, path, slice }: FoundElement<FileFacts>): void {
  if (slice === undefined) return;
  const { offset, size } = slice;
  const end = offset + size;
  const isOver = facts.type === "file" && end > facts.sizeBytes;
  if (!isOver && size % SECTOR_BYTES === 0) return;
  const why = isOver
    ? `the slice ends at ${end}, and the file at ${facts.sizeBytes}`
    : `the size must be a multiple of ${SECTOR_BYTES}`;
  throw new SvirtError(`Cannot use the ${size} bytes from ${offset} of ${path} as an image: ${why}`, {
    kind: "unsupported",
    remedy: "Correct the <slice>.",
  });
}

/**
 * Error for a data file in another folder. A guest in control of its QEMU may write any path into the header,
 * to get access to the file.
 */
function unsaidData(path: string, data: string): SvirtError {
  return new SvirtError(
    `Cannot use ${path} as a disk: its header names a data file in another folder, ${data}, which the XML does not name`,
    {
      kind: "denied",
      remedy: `If that is intended, write into its <source>: <dataStore type='file'><format type='raw'/><source file='${data}'/></dataStore>`,
    },
  );
}

function refuseOtherType(image: Pick<ImageFile, "path" | "source">, found: FileType): void {
  if (found === image.source) return;
  throw new SvirtError(`Cannot use ${image.path} as a disk of type '${image.source}': it is a ${found}`, {
    kind: "unsupported",
    remedy:
      image.source === "file"
        ? "Write type='block' and <source dev=...>."
        : "Write type='file' and <source file=...>.",
  });
}

import type { BackingStore } from "./backing-store.ts";
import { isSameVolume } from "./bound.ts";
import type { Disk } from "./disk.ts";
import { luksBy, type PassphraseName } from "./secrets.ts";

/** Local file or block device as an image of a disk. */
export interface LocalImage {
  readonly path: string;
  readonly format: "raw" | "qcow2" | "qed";
  readonly storage: "file" | "block";
  /** Secret with the passphrase of an encrypted image. */
  readonly secret?: PassphraseName | undefined;
}

/**
 * Whether the XML of a disk names its lower images: it did before, or one of them is encrypted. Otherwise the
 * image headers name them.
 */
export function writesBelow(
  { backingStore }: Pick<Disk, "backingStore">,
  below: readonly Pick<LocalImage, "secret">[],
): boolean {
  return backingStore !== undefined || below.some(({ secret }) => secret !== undefined);
}

/** Returns the disk with these images, the top first. writesBelow() decides about the lower images. */
export function replaceImages(disk: Disk, images: readonly LocalImage[]): Disk {
  const [top, ...below] = images;
  if (top === undefined) return disk;
  const { backingStore: _, driver, encryption, source, type, ...rest } = disk;
  const isSame = imagePath(disk) === top.path;
  return {
    ...rest,
    driver: { ...driver, type: top.format },
    ...(isSame ? { type, source } : placeOf(top)),
    // An older document has it beside its source.
    ...(isSame && encryption !== undefined ? { encryption } : {}),
    ...(writesBelow(disk, below) ? { backingStore: storeOf(below) } : {}),
  } as Disk;
}

/** Returns the path of a disk's own image; undefined if it is not a file or device of the host. */
export function imagePath({ source }: Disk): string | undefined {
  if (source === undefined) return undefined;
  if ("file" in source) return source.file;
  return "dev" in source ? source.dev : undefined;
}

/**
 * Returns a definition's disk with the images of `to` if it has the images of `from`, otherwise the disk
 * itself.
 */
export function followDisk(disk: Disk, from: Disk, to: Disk): Disk {
  const path = imagePath(disk);
  const isSame = isSameVolume(disk, from) || (path !== undefined && path === imagePath(from));
  const hasFormat = (disk.driver?.type ?? "raw") === from.driver?.type;
  const isChanged =
    imagePath(to) !== imagePath(from) ||
    JSON.stringify(to.backingStore) !== JSON.stringify(from.backingStore);
  if (!isSame || !hasFormat || !isChanged) return disk;
  return replaceSource(disk, to);
}

/** Returns a disk with another disk's images. */
export function replaceSource(disk: Disk, other: Disk): Disk {
  const { backingStore: _, encryption: __, source: ___, type: ____, ...rest } = disk;
  const { backingStore, driver, encryption, source, type } = other;
  return {
    ...rest,
    type,
    driver: { ...disk.driver, type: driver?.type },
    source,
    ...(encryption === undefined ? {} : { encryption }),
    ...(backingStore === undefined ? {} : { backingStore }),
  } as Disk;
}

function placeOf({ path, secret, storage }: LocalImage): Pick<Disk, "source" | "type"> {
  const place = storage === "file" ? { file: path } : { dev: path };
  const encrypted = secret === undefined ? {} : { encryption: luksBy(secret) };
  return { type: storage, source: { ...place, seclabels: [], ...encrypted } } as Pick<
    Disk,
    "source" | "type"
  >;
}

function storeOf([image, ...below]: readonly LocalImage[]): BackingStore {
  if (image === undefined) return { type: "end" };
  return {
    ...placeOf(image),
    format: { type: image.format },
    backingStore: storeOf(below),
  } as BackingStore;
}

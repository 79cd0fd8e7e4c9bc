import type { BackingStore } from "./backing-store.ts";
import { isSameVolume } from "./bound.ts";
import type { Disk } from "./disk.ts";

/** Local file or block device as an image of a disk. */
export interface LocalImage {
  readonly path: string;
  readonly format: "raw" | "qcow2" | "qed";
  readonly storage: "file" | "block";
}

/**
 * Returns the disk with these images, the top first. Backing images are written only if the XML had them before: otherwise
 * the image headers name them.
 */
export function withImages(disk: Disk, images: readonly LocalImage[]): Disk {
  const [top, ...below] = images;
  if (top === undefined) return disk;
  const { backingStore, driver, source, type, ...rest } = disk;
  return {
    ...rest,
    driver: { ...driver, type: top.format },
    ...(imagePath(disk) === top.path ? { type, source } : placeOf(top)),
    ...(backingStore === undefined ? {} : { backingStore: storeOf(below) }),
  } as Disk;
}

/** Returns the path of a disk's own image; undefined if it is not a file or device of the host. */
export function imagePath({ source }: Disk): string | undefined {
  if (source === undefined) return undefined;
  if ("file" in source) return source.file;
  return "dev" in source ? source.dev : undefined;
}

/** Returns a definition's disk with the images of `to` if it has those of `from`, otherwise the disk itself. */
export function followDisk(disk: Disk, from: Disk, to: Disk): Disk {
  const path = imagePath(disk);
  const isSame = isSameVolume(disk, from) || (path !== undefined && path === imagePath(from));
  const hasFormat = (disk.driver?.type ?? "raw") === from.driver?.type;
  const isChanged =
    imagePath(to) !== imagePath(from) ||
    JSON.stringify(to.backingStore) !== JSON.stringify(from.backingStore);
  if (!isSame || !hasFormat || !isChanged) return disk;
  const { backingStore: _, source: __, type: ___, ...rest } = disk;
  const { backingStore, driver, source, type } = to;
  return {
    ...rest,
    type,
    driver: { ...disk.driver, type: driver?.type },
    source,
    ...(backingStore === undefined ? {} : { backingStore }),
  } as Disk;
}

function placeOf({ path, storage }: LocalImage): Pick<Disk, "source" | "type"> {
  const source = storage === "file" ? { file: path, seclabels: [] } : { dev: path, seclabels: [] };
  return { type: storage, source } as Pick<Disk, "source" | "type">;
}

function storeOf([image, ...below]: readonly LocalImage[]): BackingStore {
  if (image === undefined) return { type: "end" };
  return {
    ...placeOf(image),
    format: { type: image.format },
    backingStore: storeOf(below),
  } as BackingStore;
}

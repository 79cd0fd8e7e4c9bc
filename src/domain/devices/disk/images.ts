import type { BackingStore } from "./backing-store.ts";
import type { Disk } from "./disk.ts";

/** An image that a disk can be told to have. */
export interface LocalImage {
  readonly path: string;
  readonly format: "raw" | "qcow2" | "qed";
  readonly storage: "file" | "block";
}

/**
 * The disk with these images, the top first. What is below stands in the XML only where it did before: else the images
 * themselves say it.
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

/** The path of a disk's own image; undefined where it is no file or device of the host. */
export function imagePath({ source }: Disk): string | undefined {
  if (source === undefined) return undefined;
  if ("file" in source) return source.file;
  return "dev" in source ? source.dev : undefined;
}

/** A definition's disk with the images of `to`, if it has those of `from`; else the very disk. */
export function followDisk(disk: Disk, from: Disk, to: Disk): Disk {
  const path = imagePath(disk);
  const isSame = path !== undefined && path === imagePath(from) && disk.driver?.type === from.driver?.type;
  const isChanged =
    imagePath(to) !== path || JSON.stringify(to.backingStore) !== JSON.stringify(from.backingStore);
  if (!isSame || !isChanged) return disk;
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

import type { BackingStore } from "../../../domain/devices/disk/backing-store.ts";
import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { imageFormatOf, isReadOnly } from "../../../domain/devices/disk/facts.ts";
import { type Encryption, encryptionOf, type Login, loginOf } from "../../../domain/devices/disk/secrets.ts";
import type { DataStore, ImageFormat } from "../../../domain/forms/source/disk.ts";
import type { ChainElement, ImagePart } from "../../../images/element.ts";

/** Location of an image: a path on the host, or another type of `<source>`. */
export type ImagePlace =
  | { readonly type: "file"; readonly path: string }
  | { readonly type: "block"; readonly path: string }
  | OtherPlace<Exclude<Disk["type"], "file" | "block" | "vhostuser">>;
type OtherPlace<T extends Disk["type"]> = T extends Disk["type"]
  ? { readonly type: T; readonly source: NonNullable<Extract<Disk, { readonly type: T }>["source"]> }
  : never;

/** Image of a disk: the top image, a backing image, or a data file. */
export interface ChainImage {
  readonly place: ImagePlace;
  readonly format: ImageFormat;
  readonly role: "top" | "backing" | "data-file";
  readonly readOnly: boolean;
  /** Part of the file that is the image; undefined: all of it. */
  readonly slice?: ImagePart | undefined;
  /** Maximum size of a qcow2 image's metadata cache. */
  readonly cacheBytes?: number | undefined;
  readonly encryption?: Encryption | undefined;
  /** User and secret for the server that has the image. */
  readonly login?: Login | undefined;
}

/** Images of a disk, top first, and whether the last is known to have no backing file. */
export interface DiskChain {
  readonly elements: readonly ChainImage[];
  readonly isWhole: boolean;
}

/** Result of walkChain() for each disk, keyed by its target. */
export type FoundChains = ReadonlyMap<string, readonly ChainElement[]>;

/**
 * Returns the chain of a disk: as inspected on the host, or else as the XML describes it. An empty drive and
 * a vhost-user disk have no images.
 */
export function chainOf(disk: Disk, found: FoundChains | undefined): DiskChain {
  const elements = found?.get(disk.target.dev);
  const cacheBytes = disk.driver?.metadataCache?.maxSizeBytes;
  if (elements !== undefined) {
    const images = addEncryption(elements.map(fromHost), disk);
    return {
      elements: images.map((image) => (image.role === "top" ? { ...image, cacheBytes } : image)),
      isWhole: true,
    };
  }
  if (disk.source === undefined || disk.type === "vhostuser") return { elements: [], isWhole: true };
  const readOnly = isReadOnly(disk);
  const format = imageFormatOf(disk) ?? "raw";
  const top = imagesOf(disk, { format, role: "top", readOnly, cacheBytes });
  const { below, isWhole } = belowOf(disk.backingStore);
  return { elements: [...top, ...below], isWhole };
}

/**
 * Gives each image its encryption. The XML names the images from the top down, and headers name the images
 * below.
 */
function addEncryption(images: readonly ChainImage[], disk: Disk): readonly ChainImage[] {
  let placed: Disk | BackingStore | undefined = disk;
  return images.map((image) => {
    if (image.role === "data-file") return image;
    if (image.role === "backing") placed = belowIn(placed);
    return { ...image, encryption: encryptionOf(placed) };
  });
}

function belowIn(placed: Disk | BackingStore | undefined): BackingStore | undefined {
  return placed === undefined || placed.type === "end" ? undefined : placed.backingStore;
}

function fromHost({ path, storage, format, role, readOnly, slice }: ChainElement): ChainImage {
  return { place: { type: storage, path }, format, role, readOnly, slice };
}

type Placed = Exclude<Disk, { readonly type: "vhostuser" }> | Exclude<BackingStore, { readonly type: "end" }>;

/** The image, followed by its data file. */
function imagesOf(placed: Placed, image: Omit<ChainImage, "place" | "slice">): readonly ChainImage[] {
  const { source } = placed;
  const slice = source !== undefined && "slices" in source ? source.slices?.slice : undefined;
  const data = source !== undefined && "dataStore" in source ? source.dataStore : undefined;
  const secrets = { encryption: encryptionOf(placed), login: loginOf(placed) };
  const own = { ...image, place: placeOf(placed), slice, ...secrets };
  return data === undefined ? [own] : [own, dataOf(data, image.readOnly)];
}

function dataOf(data: DataStore, readOnly: boolean): ChainImage {
  const slice = data.source.slices?.slice;
  return { place: placeOf(data), format: data.format.type, role: "data-file", readOnly, slice };
}

function placeOf(placed: Placed | DataStore): ImagePlace {
  switch (placed.type) {
    case "file":
      return { type: "file", path: placed.source?.file ?? "" };
    case "block":
      return { type: "block", path: placed.source?.dev ?? "" };
    case "network":
      return { type: "network", source: placed.source };
    case "dir":
      return { type: "dir", source: placed.source };
    case "volume":
      return { type: "volume", source: placed.source };
    case "nvme":
      return { type: "nvme", source: placed.source };
    case "vhostvdpa":
      return { type: "vhostvdpa", source: placed.source };
  }
}

function belowOf(store: BackingStore | undefined): {
  readonly below: readonly ChainImage[];
  readonly isWhole: boolean;
} {
  const below: ChainImage[] = [];
  let next = store;
  while (next !== undefined && next.type !== "end") {
    const { type: format, metadataCache } = next.format;
    const cacheBytes = metadataCache?.maxSizeBytes;
    below.push(...imagesOf(next, { format, role: "backing", readOnly: true, cacheBytes }));
    next = next.backingStore;
  }
  return { below, isWhole: next !== undefined };
}

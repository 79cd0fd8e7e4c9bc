import type { BackingStore } from "../devices/disk/backing-store.ts";
import type { Disk } from "../devices/disk/disk.ts";
import { imageFormatOf, isReadOnly } from "../devices/disk/facts.ts";
import { encryptionOf, isDecryptedByQemu } from "../devices/disk/secrets.ts";
import { hostPciPath } from "../forms/host-pci.ts";
import { FILE_MODELS, isModelOf } from "../forms/label-model.ts";
import type { DataStore, ImageFormat, NetworkSource, Slice } from "../forms/source/disk.ts";
import type { SourceSeclabel } from "../forms/source-seclabel.ts";
import type { Access, ImageFile, LabelOverride, Resource } from "./resource.ts";

/**
 * Lists the resources of a disk: its own image with the images below it, or the resources that other sources
 * name.
 */
export function listDisk(disk: Disk): readonly Resource[] {
  const access = isReadOnly(disk) ? "read-only" : "read-write";
  const { images, below, others } = listBacking(disk.backingStore);
  const rest = [...listExtras(disk, access), ...others];
  if (disk.source === undefined) return rest;
  if (disk.type !== "file" && disk.type !== "block")
    return [...(isServed(disk) ? [] : listOther(disk, access)), ...listFiles(images), ...rest];
  return [
    {
      kind: "disk",
      target: disk.target.dev,
      ...imageFile(disk.source, imageFormatOf(disk)),
      ...decrypted(disk),
      access,
      shareable: disk.shareable,
      backing: images,
      below,
    },
    ...rest,
  ];
}

/** Whether another program serves the disk by NBD: peer-sockets.ts lists its socket. */
function isServed(disk: Disk): boolean {
  return disk.type === "network" && disk.source.protocol === "nbd";
}

/** Returns the XML's request about a file's label, if any. */
export function overrideOf(seclabels: readonly SourceSeclabel[]): LabelOverride | undefined {
  const found = seclabels.find(({ model }) => isModelOf(FILE_MODELS, model));
  if (found === undefined) return undefined;
  return found.label === undefined ? { relabel: "no" } : { relabel: "yes", label: found.label };
}

interface Backing {
  readonly images: readonly ImageFile[];
  readonly below: "nothing" | "as-probed";
  readonly others: readonly Resource[];
}

function listBacking(store: BackingStore | undefined): Backing {
  const images: ImageFile[] = [];
  const others: Resource[] = [];
  let next = store;
  while (next !== undefined && next.type !== "end") {
    if (next.type === "file" || next.type === "block")
      images.push({ ...imageFile(next.source, next.format.type), ...decrypted(next) });
    else others.push(...listOther(next, "read-only"));
    others.push(...listExtras(next, "read-only"));
    next = next.backingStore;
  }
  return { images, below: next === undefined ? "as-probed" : "nothing", others };
}

type LocalSource = {
  readonly seclabels: readonly SourceSeclabel[];
  readonly slices?: { readonly slice: Slice } | undefined;
  readonly dataStore?: DataStore | undefined;
} & ({ readonly file: string } | { readonly dev: string });

function imageFile(source: LocalSource, format: ImageFormat | undefined): ImageFile {
  const { dataStore } = source;
  const isLocal = dataStore !== undefined && dataStore.type !== "network";
  return { ...fileOf(source), format, dataFile: isLocal ? fileOf(dataStore.source) : undefined };
}

function decrypted(placed: Disk | BackingStore): Pick<ImageFile, "isEncrypted"> {
  return isDecryptedByQemu(encryptionOf(placed)) ? { isEncrypted: true } : {};
}

function fileOf(source: LocalSource): Omit<ImageFile, "format" | "dataFile"> {
  const place =
    "file" in source
      ? ({ path: source.file, source: "file" } as const)
      : ({ path: source.dev, source: "block" } as const);
  return { ...place, override: overrideOf(source.seclabels), slice: source.slices?.slice };
}

function listFiles(images: readonly ImageFile[]): readonly Resource[] {
  return images.map(({ path }) => ({ kind: "host-file", path, access: "read-only" }));
}

type Other = Exclude<Disk | BackingStore, { readonly type: "file" | "block" | "end" }>;

function listOther(placed: Other, access: Access): readonly Resource[] {
  switch (placed.type) {
    case "network":
      return listNetwork(placed.source);
    case "dir":
      return [{ kind: "host-file", path: placed.source.dir, access }];
    case "nvme":
      return [
        {
          kind: "vfio-device",
          path: hostPciPath(placed.source.address),
          isManaged: placed.source.managed === true,
        },
      ];
    case "vhostvdpa":
      return [{ kind: "host-device", path: placed.source.dev }];
    // peer-sockets.ts lists the socket of vhostuser.
    case "vhostuser":
    case "volume":
      return [];
  }
}

function listNetwork(source: NetworkSource): readonly Resource[] {
  const files = [
    "config" in source ? source.config?.file : undefined,
    "knownHosts" in source ? source.knownHosts?.path : undefined,
    source.protocol === "ssh" ? source.identity?.keyfile : undefined,
  ];
  const sockets = [
    ...source.hosts.map((host) => (host.transport === "unix" ? host.socket : undefined)),
    source.protocol === "ssh" ? source.identity?.agentsock : undefined,
  ];
  return [
    ...files.filter(isPath).map((path) => ({ kind: "host-file", path, access: "read-only" }) as const),
    ...sockets.filter(isPath).map((path) => ({ kind: "host-socket", path, mode: "connect" }) as const),
  ];
}

/**
 * Lists the socket of a reservation helper, and the external data of an image unless imageFile() lists it.
 */
function listExtras(
  { source, type }: Disk | Exclude<BackingStore, { readonly type: "end" }>,
  access: Access,
): readonly Resource[] {
  if (source === undefined) return [];
  const isLocal = type === "file" || type === "block";
  const helper = "reservations" in source ? source.reservations : undefined;
  const data = "dataStore" in source ? source.dataStore : undefined;
  return [
    ...(helper?.managed === "no"
      ? [{ kind: "host-socket", path: helper.source.path, mode: "connect" } as const]
      : []),
    ...(data === undefined || (isLocal && data.type !== "network") ? [] : listData(data, access)),
  ];
}

function listData(data: DataStore, access: Access): readonly Resource[] {
  if (data.type === "network") return listNetwork(data.source);
  return [{ kind: "host-file", path: data.type === "file" ? data.source.file : data.source.dev, access }];
}

function isPath(path: string | undefined): path is string {
  return path !== undefined;
}

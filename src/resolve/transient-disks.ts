import type { BackingStore } from "../domain/devices/disk/backing-store.ts";
import type { Disk } from "../domain/devices/disk/disk.ts";
import type { Domain } from "../domain/domain.ts";
import { formatNewImage } from "../images/new-qcow2.ts";
import type { Instance } from "../state/instance.ts";
import { withFreeGuest } from "../state/locks.ts";
import { readRecord } from "../state/record.ts";
import { imageSize } from "./image-size.ts";
import { imageReader, missing } from "./inspect-file.ts";

/** Overlays of a guest's transient disks: the first bytes of each, by its path. */
export type Overlays = ReadonlyMap<string, Uint8Array>;

type FileDisk = Extract<Disk, { readonly type: "file" }>;

/**
 * Returns the folder of a guest's overlays. It is removed when the guest ends, with all data that the guest
 * has written.
 */
export function overlayFolder({ paths }: Pick<Instance, "paths">, uuid: string): string {
  return `${homeOf(paths)}/${uuid}`;
}

/**
 * Returns the domain as QEMU gets it: each transient disk is an empty image above the disk's own, and the
 * latter is only read. Throws "not-found", "unsupported", "failed" for an image unsuitable below another.
 */
export function replaceByOverlays(
  instance: Instance,
  domain: Domain,
): { readonly domain: Domain; readonly overlays: Overlays } {
  const overlays = new Map<string, Uint8Array>();
  const disks = domain.devices.disks.map((disk): Disk => {
    if (disk.transient === undefined || disk.type !== "file" || disk.source === undefined) return disk;
    const path = `${overlayFolder(instance, domain.uuid)}/${disk.target.dev}.qcow2`;
    const { above, image } = overlayOf(instance, disk, path);
    overlays.set(path, formatNewImage(image));
    return above;
  });
  if (overlays.size === 0) return { domain, overlays };
  return { domain: { ...domain, devices: { ...domain.devices, disks } }, overlays };
}

/**
 * Creates the overlays and removes earlier overlays. The caller holds the guest's lock, and the guest does
 * not run.
 */
export function makeOverlays(instance: Instance, uuid: string, overlays: Overlays): void {
  if (overlays.size === 0) return;
  const folder = overlayFolder(instance, uuid);
  instance.host.removeFolder(folder);
  instance.host.makeFolder({ path: homeOf(instance.paths), mode: 0o700 });
  instance.host.makeFolder({ path: folder, mode: 0o700 });
  for (const [path, bytes] of overlays)
    instance.host.makeFile(path, 0o600, { bytes, sizeBytes: bytes.length });
}

/** Runs work that creates overlays, and removes them if it fails before the start has a record. */
export async function withNewOverlays<Result>(
  instance: Instance,
  uuid: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (readRecord(instance, uuid) === undefined) instance.host.removeFolder(overlayFolder(instance, uuid));
    throw error;
  }
}

/** Removes the overlays of a svirt that was killed before it wrote a record. */
export async function removeStrayOverlays(instance: Instance): Promise<void> {
  for (const uuid of instance.host.listFolder(homeOf(instance.paths))) {
    if (readRecord(instance, uuid) !== undefined) continue;
    // Holds the guest's lock, because a start creates overlays before its record.
    await withFreeGuest(instance, uuid, async () => {
      if (readRecord(instance, uuid) === undefined) instance.host.removeFolder(overlayFolder(instance, uuid));
    });
  }
}

function overlayOf(instance: Instance, disk: FileDisk, path: string) {
  const { backingStore, driver, source, transient: _, ...rest } = disk;
  const file = source?.file ?? "";
  const format = driver?.type === "qcow2" ? "qcow2" : "raw";
  const facts = imageReader(instance).facts(file);
  if (facts === undefined || source === undefined) throw missing(file);
  const sizeBytes = imageSize(instance, { path: file, format, facts, slice: source.slices?.slice });
  const below: BackingStore = {
    type: "file",
    format: { type: format },
    source,
    ...(backingStore === undefined ? {} : { backingStore }),
  };
  const above: FileDisk = {
    ...rest,
    driver: { ...driver, type: "qcow2" },
    source: { file: path, seclabels: [] },
    backingStore: below,
  };
  return { above, image: { format: "qcow2", sizeBytes, backing: { path: file, format } } as const };
}

function homeOf(paths: Instance["paths"]): string {
  return `${paths.state}/transient`;
}

import { SvirtError } from "../../errors.ts";
import { formatNewImage, type NewImage } from "../../images/new-qcow2.ts";
import { belongsToHost } from "../../label/protected-paths.ts";
import type { GivenFormat } from "../../plan/facts/given-format.ts";
import type { Step } from "../../plan/steps/step.ts";
import { placeOfMade } from "../../resolve/places/writable-places.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { notMade } from "../../storage/volume/creation-refusal.ts";
import { parseVolume, type Volume } from "../../storage/volume/document.ts";
import {
  type CreationFlags,
  decideNewVolume,
  type NewVolume,
  notPreallocated,
} from "../../storage/volume/new-volume.ts";
import { volumeBackendOf } from "./made/backends.ts";
import { alreadyThere } from "./made/made-volume.ts";
import type { VolumeBackend } from "./made/volume-backend.ts";
import { makeVolumeFile, type VolumePlace, volumeStep } from "./made/volume-file.ts";
import { type DevicePool, findAnyPool, withoutOperation } from "./volume-pool.ts";

/** Creates the volume that a document describes, as createVolumeIn(). Throws "xml" too. */
export async function createVolumeFrom(
  instance: Instance,
  pool: string,
  { bytes, flags }: { readonly bytes: Uint8Array; readonly flags: CreationFlags },
): Promise<{ readonly name: string; readonly path: string }> {
  return await createVolumeIn(instance, pool, { volume: parseVolume(bytes), flags });
}

/**
 * Creates a volume in a pool or in the folder with that absolute path. Throws "not-found", "wrong-state" for
 * an inactive pool, and the errors of createVolume().
 */
export async function createVolumeIn(
  instance: Instance,
  pool: string,
  { flags, volume }: { readonly volume: Volume; readonly flags: CreationFlags },
): Promise<{ readonly name: string; readonly path: string }> {
  const folder = await findFolder(instance, pool);
  if (typeof folder !== "string") return await createDevice(instance, folder, { volume, flags });
  return { name: volume.name, path: await createVolume(instance, folder, { volume, flags }) };
}

/** Returns the folder of a pool, or with that absolute path; a pool of devices itself. */
async function findFolder(instance: Instance, pool: string): Promise<string | DevicePool> {
  if (pool.startsWith("/")) return pool;
  const found = await findAnyPool(instance, pool);
  return found.folder === undefined ? found : found.folder.id.path;
}

/** Makes a volume that is a device. Throws as deviceBackend(). */
async function createDevice(
  instance: Instance,
  pool: DevicePool,
  creation: DeviceCreation,
): Promise<{ readonly name: string; readonly path: string }> {
  const { volume } = creation;
  const { name, path } = await deviceBackend(pool, creation).create(instance, pool, { volume });
  return { name, path };
}

interface DeviceCreation {
  readonly volume: Volume;
  readonly flags: CreationFlags;
}

/**
 * Returns the backend that makes a volume that is a device. Throws "unsupported" for a pool of devices that
 * the host has.
 */
function deviceBackend(pool: DevicePool, { flags }: DeviceCreation): VolumeBackend {
  const backend = volumeBackendOf(pool);
  if (backend === undefined) throw withoutOperation("volume creation");
  if (flags.isMetadataPreallocated === true)
    throw notPreallocated("metadata preallocation is not supported for block volumes");
  return backend;
}

/**
 * Makes the empty image of a volume in a folder, with the requested owner, mode and label, and returns its
 * path. Throws "unsupported" for a volume that svirt does not make, "not-found" without the folder or the
 * backing file, "in-use" if the volume exists. Throws "denied" for a folder of the host or a label that the
 * volume must not have.
 */
export async function createVolume(
  instance: Instance,
  folder: string,
  { flags, volume }: { readonly volume: Volume; readonly flags?: CreationFlags },
): Promise<string> {
  const decided = decideNewVolume(volume, flags);
  const place = placeOf(instance, folder, volume);
  if (decided.preallocated !== undefined) {
    const { preallocateImage } = await import("../../images/preallocated-qcow2.ts");
    // Without the registry's lock, since it may take long, and has no backing file.
    const content = preallocateImage({ sizeBytes: decided.capacityBytes ?? 0, options: decided.options });
    const reservedBytes = decided.preallocated === "all" ? content.sizeBytes : 0;
    await makeVolumeFile(instance, place, {
      decided: { ...decided, reservedBytes },
      written: "qcow2",
      content,
    });
    return place.path;
  }
  const luks = await luksOf(instance, place, decided);
  // No other call may remove the backing file in the meantime.
  return await withRegistryLock(instance, async () => {
    const image = await imageOf(instance, place.path, decided);
    const bytes = formatNewImage({ ...image, luks });
    const isRaw = image.format === "raw";
    const { reservedBytes } = decided;
    const sizeBytes = isRaw ? bytes.length + image.sizeBytes : bytes.length;
    await makeVolumeFile(instance, place, {
      decided: { ...decided, reservedBytes: reservedBytes === 0 ? 0 : bytes.length + reservedBytes },
      written: writtenFormat(image, luks !== undefined),
      content: { bytes, sizeBytes },
    });
    return place.path;
  });
}

/** Returns the steps of createVolumeIn(), and changes nothing. Throws its errors. */
export async function planVolume(
  instance: Instance,
  pool: string,
  { flags, volume }: { readonly volume: Volume; readonly flags: CreationFlags },
): Promise<{ readonly steps: readonly Step[] }> {
  const folder = await findFolder(instance, pool);
  if (typeof folder !== "string") {
    const backend = deviceBackend(folder, { volume, flags });
    return { steps: await backend.planCreation(instance, folder, { volume }) };
  }
  const decided = decideNewVolume(volume, flags);
  const place = placeOf(instance, folder, volume);
  const image = await imageOf(instance, place.path, decided);
  const isEncrypted = decided.encryption !== undefined;
  const written = decided.preallocated === undefined ? writtenFormat(image, isEncrypted) : "qcow2";
  const sized = { ...decided, capacityBytes: image.sizeBytes };
  return { steps: [volumeStep(instance, place, { decided: sized, written })] };
}

/** Returns the format to record for a new image; undefined for an empty raw one. */
function writtenFormat({ format }: NewImage, isEncrypted: boolean): GivenFormat | undefined {
  if (format === "raw") return isEncrypted ? "luks" : undefined;
  return format;
}

/** Makes the header of an encrypted volume, without the registry's lock, since it takes a second. */
async function luksOf(
  instance: Instance,
  { path }: VolumePlace,
  { encryption, name }: NewVolume,
): Promise<Uint8Array | undefined> {
  if (encryption === undefined) return undefined;
  if (instance.host.inspectFile(path) !== undefined) throw alreadyThere(name);
  const { makeLuks } = await import("../../resolve/secrets/make-luks.ts");
  return await makeLuks(instance, encryption);
}

/**
 * Returns the place of a volume in a folder. Throws "not-found" without the folder, "denied" for one of the
 * host, "unsupported" for a document with another path.
 */
export function placeOf(instance: Instance, folder: string, { name, target }: Volume): VolumePlace {
  const facts = instance.host.inspectFile(folder);
  if (facts?.type !== "folder") {
    throw new SvirtError(`Cannot create a volume in ${folder}: that is not a folder`, {
      kind: facts === undefined ? "not-found" : "unsupported",
      remedy: "Name an existing folder for the volume.",
    });
  }
  const path = `${facts.id.path.replace(/[/]$/, "")}/${name}`;
  if (belongsToHost(path)) {
    throw new SvirtError(`Cannot create a volume in ${folder}: that folder belongs to the host`, {
      kind: "denied",
      remedy: "Name a folder for images.",
    });
  }
  placeOfMade(instance.host, path);
  if (target.path !== undefined && target.path !== path && target.path !== `${folder}/${name}`)
    throw notMade("target/path", `the path must be ${path}`);
  return { folder: facts, path };
}

async function imageOf(
  instance: Instance,
  path: string,
  { backing, capacityBytes, format, options }: NewVolume,
): Promise<NewImage> {
  if (backing === undefined) return { format, sizeBytes: capacityBytes ?? 0, options };
  const { capacityAbove } = await import("./backing-size.ts");
  const sizeBytes = capacityAbove(instance, path, { below: backing, requestedBytes: capacityBytes });
  return { format, backing, sizeBytes, options };
}

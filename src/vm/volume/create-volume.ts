import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { NewFile } from "../../host/new-file.ts";
import { formatNewImage, type NewImage } from "../../images/new-qcow2.ts";
import { belongsToHost } from "../../label/protected-paths.ts";
import type { GivenFormat } from "../../plan/facts/given-format.ts";
import { placeOfMade } from "../../resolve/places/writable-places.ts";
import { FORMAT_MARK, formatFolder, setFormatMark } from "../../run/labels/format-mark.ts";
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
import { decideVolumeLabel } from "./volume-label.ts";
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
  const found = pool.startsWith("/") ? undefined : await findAnyPool(instance, pool);
  if (found !== undefined && found.folder === undefined)
    return await createDevice(instance, found, { volume, flags });
  const folder = found?.folder.id.path ?? pool;
  return { name: volume.name, path: await createVolume(instance, folder, { volume, flags }) };
}

/** Makes a volume that is a device. Throws "unsupported" for a pool of devices that the host has. */
async function createDevice(
  instance: Instance,
  pool: DevicePool,
  { flags, volume }: { readonly volume: Volume; readonly flags: CreationFlags },
): Promise<{ readonly name: string; readonly path: string }> {
  const backend = volumeBackendOf(pool);
  if (backend === undefined) throw withoutOperation("volume creation");
  if (flags.isMetadataPreallocated === true)
    throw notPreallocated("metadata preallocation is not supported for block volumes");
  const { name, path } = await backend.create(instance, pool, volume);
  return { name, path };
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

/** Place of a new volume: its path, and the folder with it. */
interface VolumePlace {
  readonly folder: FileFacts;
  readonly path: string;
}

/**
 * Makes the file of a volume, with its owner, mode and label. `written`: the format of its content, which is
 * recorded; undefined for an empty raw volume, whose format the operator decides with the content. Throws
 * "in-use" if it exists, "denied".
 */
export async function makeVolumeFile(
  instance: Instance,
  { folder, path }: VolumePlace,
  {
    decided,
    written,
    ...data
  }: { readonly decided: NewVolume; readonly written: GivenFormat | undefined } & Pick<
    NewFile,
    "content" | "copy" | "conversion"
  >,
): Promise<void> {
  if (instance.host.inspectFile(path) !== undefined) throw alreadyThere(decided.name);
  const { isNocow, name, permissions, reservedBytes } = decided;
  const { group: gid, label: requested, mode, owner: uid } = permissions;
  const label = decideVolumeLabel(instance, { path, folder: folder.id, requested });
  const made = await instance.host.makeFileWithin(folder.id, {
    name,
    ...data,
    mark: written === undefined ? undefined : { name: FORMAT_MARK, value: written },
    isNocow,
    reservedBytes,
    mode,
    uid,
    gid,
    label,
  });
  if (written === undefined) return;
  const { host, paths } = instance;
  const mark = { format: written, folder: formatFolder(paths.state) };
  // Where the file keeps no attribute, svirt's folder has its format.
  host.withAttributes(made, (file) => setFormatMark(host, { file, id: made }, mark));
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

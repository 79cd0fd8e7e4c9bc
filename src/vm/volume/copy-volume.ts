import type { FileFacts } from "../../host/files.ts";
import { folderOf } from "../../plan/folder-of.ts";
import type { Instance } from "../../state/instance.ts";
import { type CopySource, decideCopiedVolume } from "../../storage/volume/copied-volume.ts";
import { parseVolume, type Volume } from "../../storage/volume/document.ts";
import type { CreationFlags } from "../../storage/volume/new-volume.ts";
import { makeVolumeFile, placeOf } from "./create-volume.ts";
import { findVolume } from "./find-volume.ts";
import { copyToVolume } from "./made/copy-to-volume.ts";
import { describeVolume } from "./show-volume.ts";
import { withUnusedVolume } from "./unused-volume.ts";
import { readVolumeImage } from "./volume-image.ts";
import { findAnyPool } from "./volume-pool.ts";

/** Volume to copy. */
interface Source {
  readonly key: string;
  readonly pool: string | undefined;
}

/** Flags of a copy. */
interface CopyFlags extends CreationFlags {
  /** Whether both must share their space on disk, rather than only may. */
  readonly isReflink: boolean;
}

/** A new volume, and the one that it was copied from. */
export interface CopiedVolume {
  readonly name: string;
  readonly path: string;
  readonly source: string;
}

/**
 * Creates the volume that a document describes, with the data of another volume. Throws "xml", "unsupported", "not-found";
 * "in-use" if a guest uses the source or the volume exists; "denied".
 */
export async function createVolumeFromVolume(
  instance: Instance,
  pool: string,
  {
    bytes,
    flags,
    source,
  }: { readonly bytes: Uint8Array; readonly source: Source; readonly flags: CopyFlags },
): Promise<CopiedVolume> {
  return await copyVolume(instance, { volume: parseVolume(bytes), source, flags, pool });
}

/**
 * Creates a volume like another one beside it, with its owner and mode. Its label is not carried on: it may be a guest's. Throws
 * as createVolumeFromVolume(). cmdVolClone() of libvirt's tools/virsh-volume.c
 */
export async function cloneVolume(
  instance: Instance,
  newName: string,
  { flags, source }: { readonly source: Source; readonly flags: CopyFlags },
): Promise<CopiedVolume> {
  const { facts, pool } = findVolume(instance, source.key, source.pool);
  if (facts.type === "block") {
    // The node has its owner and mode of the host.
    const volume: Volume = { type: "block", name: newName, target: { nocow: false } };
    return await copyVolume(instance, { volume, source, flags, pool: pool.uuid });
  }
  const { key: _, target: shown, ...shape } = describeVolume(instance, facts);
  const { path: __, permissions = {}, ...target } = shown;
  const { label: ___, ...granted } = permissions;
  const volume = { ...shape, name: newName, target: { ...target, permissions: granted } };
  return await copyVolume(instance, { volume, source, flags, pool: pool.uuid });
}

async function copyVolume(
  instance: Instance,
  copy: {
    readonly volume: Volume;
    readonly source: Source;
    readonly flags: CopyFlags;
    readonly pool: string;
  },
): Promise<CopiedVolume> {
  const { flags, source, volume } = copy;
  const pool = findAnyPool(instance, copy.pool);
  if (pool.folder === undefined) return await copyToVolume(instance, pool, { volume, source, flags });
  const { folder } = pool;
  const place = placeOf(instance, folder.id.path, volume);
  // Checked under the lock, and copied without it, since that may take long. A start labels the source, which the copy notices.
  const { decided, from } = await withUnusedVolume(
    instance,
    { ...source, attempt: "copy", operation: "copies" },
    ({ facts }) => ({
      decided: decideCopiedVolume(volume, copySource(instance, facts, folder), flags),
      from: facts,
    }),
  );
  const sizeBytes = decided.format === "raw" ? decided.capacityBytes : from.sizeBytes;
  makeVolumeFile(instance, place, {
    decided,
    content: { bytes: new Uint8Array(), sizeBytes },
    copy: { from: from.id, isShared: flags.isReflink },
  });
  return {
    name: decided.name,
    path: place.path,
    source: from.id.path.slice(from.id.path.lastIndexOf("/") + 1),
  };
}

function copySource(instance: Instance, facts: FileFacts, folder: FileFacts): CopySource {
  const {
    backing,
    capacityBytes = facts.sizeBytes,
    dataFile,
    format,
    isBackingRelative,
    options,
  } = readVolumeImage(instance.host, facts);
  const isElsewhere = folderOf(facts.id.path) !== folder.id.path;
  const relative = isElsewhere && isBackingRelative === true ? "by a relative name" : undefined;
  return {
    format,
    capacityBytes,
    options,
    backing: backing?.path,
    isBound: dataFile === undefined ? relative : "by its data file",
  };
}

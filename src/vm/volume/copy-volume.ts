import type { Step } from "../../plan/steps/step.ts";
import type { Instance } from "../../state/instance.ts";
import { parseVolume, type Volume } from "../../storage/volume/document.ts";
import { placeOf } from "./create-volume.ts";
import { findVolume } from "./find-volume.ts";
import { decideFileCopy, type FileCopy } from "./made/copy-to-file.ts";
import { runVolumeStep } from "./made/volume-file.ts";
import { describeVolume } from "./show-volume.ts";
import { findAnyPool } from "./volume-pool.ts";

/** Copy to make in a pool. */
interface Copy extends FileCopy {
  readonly pool: string;
}

/** Document of a copy, and the volume to copy. */
type DescribedCopy = Omit<Copy, "volume" | "pool" | "isOfSource"> & { readonly bytes: Uint8Array };

/** Clone to make beside its source. */
type Clone = Pick<Copy, "flags" | "source">;

/** Steps of a copy. */
interface CopyPlan {
  readonly steps: readonly Step[];
}

/** A new volume, and the one that it was copied from. */
export interface CopiedVolume {
  readonly name: string;
  readonly path: string;
  readonly source: string;
}

/**
 * Creates the volume that a document describes, with the data of another volume. Throws "xml", "unsupported",
 * "not-found"; "in-use" if a guest uses the source or the volume exists; "denied".
 */
export async function createVolumeFromVolume(
  instance: Instance,
  pool: string,
  copy: DescribedCopy,
): Promise<CopiedVolume> {
  return await copyVolume(instance, await describedCopy(instance, pool, copy));
}

/** Returns the steps of createVolumeFromVolume(), and changes nothing. Throws its errors. */
export async function planVolumeFromVolume(
  instance: Instance,
  pool: string,
  copy: DescribedCopy,
): Promise<CopyPlan> {
  return await planCopy(instance, await describedCopy(instance, pool, copy));
}

async function describedCopy(
  instance: Instance,
  pool: string,
  { bytes, ...copy }: DescribedCopy,
): Promise<Copy> {
  const volume = parseVolume(bytes);
  const { facts, path } = await findVolume(instance, copy.source.key, copy.source.pool);
  // The XML of the source with another name, by which virsh vol-clone and virt-clone make a clone.
  if (volume.target.path !== path) return { ...copy, volume, isOfSource: false, pool };
  const shown = describeVolume(instance, facts).target;
  // Another secret than the source's, or none, asks for another volume.
  const isOfSource = wordsOf(shown.encryption) === wordsOf(volume.target.encryption);
  const clone = withoutPlace(volume);
  return { ...copy, volume: isOfSource ? withoutEncryption(clone) : clone, isOfSource, pool };
}

/** Returns an encryption as text, to compare it. */
function wordsOf(encryption: Volume["target"]["encryption"]): string {
  if (encryption === undefined) return "";
  const { format, secrets, ...rest } = encryption;
  const names = secrets.map(({ usage, uuid }) => [usage, uuid]);
  return JSON.stringify([format, names, Object.values(rest).filter((value) => value !== undefined)]);
}

/** A clone has the encrypted bytes of its source, and so its passphrase. */
function withoutEncryption({ target: { encryption: _, ...target }, ...shape }: Volume): Volume {
  return { ...shape, target };
}

/**
 * Returns a volume's description for a volume beside it. Its label is not carried on: it may be a guest's.
 */
function withoutPlace({ key: _, target: shown, ...shape }: Volume): Volume {
  const { path: __, permissions = {}, ...target } = shown;
  const { label: ___, ...granted } = permissions;
  return { ...shape, target: { ...target, permissions: granted } };
}

/**
 * Creates a volume like another one beside it, with its owner and mode. Throws as createVolumeFromVolume().
 * cmdVolClone() of libvirt's tools/virsh-volume.c
 */
export async function cloneVolume(instance: Instance, newName: string, clone: Clone): Promise<CopiedVolume> {
  return await copyVolume(instance, await cloneOf(instance, newName, clone));
}

/** Returns the steps of cloneVolume(), and changes nothing. Throws its errors. */
export async function planClone(instance: Instance, newName: string, clone: Clone): Promise<CopyPlan> {
  return await planCopy(instance, await cloneOf(instance, newName, clone));
}

async function cloneOf(instance: Instance, newName: string, { flags, source }: Clone): Promise<Copy> {
  const { facts, pool } = await findVolume(instance, source.key, source.pool);
  // The node of a device has its owner and mode of the host.
  const volume: Volume =
    facts.type === "block"
      ? { type: "block", name: newName, target: { nocow: false } }
      : { ...withoutEncryption(withoutPlace(describeVolume(instance, facts))), name: newName };
  return { volume, source, flags, isOfSource: true, pool: pool.uuid };
}

async function copyVolume(instance: Instance, { pool: key, ...copy }: Copy): Promise<CopiedVolume> {
  const pool = await findAnyPool(instance, key);
  if (pool.folder === undefined) {
    const { copyToVolume } = await import("./made/copy-to-volume.ts");
    return await copyToVolume(instance, pool, copy);
  }
  const place = placeOf(instance, pool.folder.id.path, copy.volume);
  const { content, source, step } = await decideFileCopy(instance, place, copy);
  await runVolumeStep(instance, step, { contents: new Map([[step.path, content]]) });
  return { name: step.name, path: step.path, source };
}

async function planCopy(instance: Instance, { pool: key, ...copy }: Copy): Promise<CopyPlan> {
  const pool = await findAnyPool(instance, key);
  if (pool.folder === undefined) {
    const { planDeviceCopy } = await import("./made/copy-to-volume.ts");
    return { steps: await planDeviceCopy(instance, pool, copy) };
  }
  const place = placeOf(instance, pool.folder.id.path, copy.volume);
  const { step } = await decideFileCopy(instance, place, copy);
  return { steps: [step] };
}

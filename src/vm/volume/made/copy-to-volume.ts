import { listErrors, SvirtError, throwErrors } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import { deviceBytes } from "../../../resolve/pools/pool-device.ts";
import type { Instance } from "../../../state/instance.ts";
import type { Volume } from "../../../storage/volume/document.ts";
import { notMade } from "../../../storage/volume/new-volume.ts";
import { withUnusedVolume } from "../unused-volume.ts";
import { readVolumeImage } from "../volume-image.ts";
import { type DevicePool, withoutOperation } from "../volume-pool.ts";
import { createLogicalVolume } from "./create-logical.ts";
import { removeLogicalVolume } from "./logical-volume.ts";

/** Volume to make, and the one that is copied. */
interface Copy {
  readonly volume: Volume;
  readonly source: {
    readonly key: string;
    readonly pool: string | undefined;
    /** Format that is declared; undefined: that of its first bytes. */
    readonly format?: "raw" | "qcow2" | undefined;
  };
  readonly flags: { readonly isReflink: boolean; readonly isMetadataPreallocated?: boolean };
}

/**
 * Makes a logical volume with the data of a raw volume; the rest of it is zeros. Throws "in-use" for a source that a guest uses or that
 * changes meanwhile, "unsupported", and as createLogicalVolume(). storageVolCreateXMLFrom() of libvirt
 */
export async function copyToVolume(
  instance: Instance,
  pool: DevicePool,
  { flags, source, volume }: Copy,
): Promise<{ readonly name: string; readonly path: string; readonly source: string }> {
  const { host } = instance;
  if (pool.storage.type !== "logical") throw withoutOperation("volume creation from an existing volume");
  if (flags.isReflink) throw notShared();
  // Checked under the lock, and copied without it, as to a file.
  const from = await withUnusedVolume(instance, { ...source, attempt: "copy" }, ({ facts, name }) => {
    refuseImage(instance, facts, source.format);
    return { facts, name, sizeBytes: facts.type === "block" ? deviceBytes(host, facts) : facts.sizeBytes };
  });
  const capacityBytes = Math.max(volume.capacityBytes ?? 0, from.sizeBytes);
  if ((volume.allocationBytes ?? capacityBytes) < capacityBytes)
    throw notMade("allocation", "a copy fills a sparse volume");
  if (volume.backingStore !== undefined) throw notMade("backingStore", "a copy has none");
  const made = await createLogicalVolume(instance, pool, {
    ...volume,
    capacityBytes,
    allocationBytes: capacityBytes,
  });
  try {
    host.copyToDevice(made.facts.id, from.facts.id);
  } catch (error) {
    // A guest may have been started with it meanwhile.
    const failed = await withUnusedVolume(
      instance,
      { key: made.name, pool: pool.uuid, attempt: "delete" },
      ({ name }) => removeLogicalVolume(instance, pool, name),
    ).then(() => [], listErrors);
    throwErrors([...listErrors(error), ...failed]);
    throw error;
  }
  return { name: made.name, path: made.path, source: from.name };
}

/** A guest may have written a header into a device, which is raw all the same. */
function refuseImage({ host }: Instance, facts: FileFacts, declared: Copy["source"]["format"]): void {
  const isRaw = facts.type === "block" || declared === "raw";
  const format = isRaw ? "raw" : readVolumeImage(host, facts).format;
  if (declared !== undefined && declared !== format) throw otherFormat(facts.id.path, format);
  if (format === "raw" || format === "iso") return;
  throw new SvirtError(
    `Cannot copy ${facts.id.path}: it is ${format}, and a logical volume gets the data of raw volumes only`,
    {
      kind: "unsupported",
      remedy: "Make a raw volume of it in a pool of files first: svirt vol-create-from",
    },
  );
}

/** Returns the error for a volume that is not of the format that is declared. */
export function otherFormat(path: string, format: string): SvirtError {
  return new SvirtError(`Cannot copy ${path}: its format is ${format}`, {
    kind: "unsupported",
    remedy: "Leave --inputformat out.",
  });
}

function notShared(): SvirtError {
  return new SvirtError("Cannot create the volume: a device shares no data with another volume", {
    kind: "unsupported",
    remedy: "Leave --reflink out.",
  });
}

import { SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import type { Step } from "../../../plan/steps/step.ts";
import type { Progress } from "../../../run/actor.ts";
import type { Instance } from "../../../state/instance.ts";
import { notMade } from "../../../storage/volume/creation-refusal.ts";
import type { Volume } from "../../../storage/volume/document.ts";
import { notPreallocated } from "../../../storage/volume/new-volume.ts";
import { withUnusedVolume } from "../unused-volume.ts";
import { readDeclaredImage } from "../volume-image.ts";
import { type DevicePool, withoutOperation } from "../volume-pool.ts";
import { volumeBackendOf } from "./backends.ts";
import { conversionOf, listConverted, notConverted, type SourceImage } from "./conversion.ts";
import type { NewDevice, VolumeBackend } from "./volume-backend.ts";

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
  readonly onProgress?: Progress | undefined;
}

/** Data of a volume that is copied, and its length: for an image, what its guest sees. */
interface SourceData {
  readonly sizeBytes: number;
  /** Images that are converted, the volume's first; undefined: its bytes are copied. */
  readonly images: readonly SourceImage[] | undefined;
}

/**
 * Makes a logical volume or a partition with the data of another volume: the bytes of a raw one, the guest's
 * data of a qcow2 image. The rest of it is zeros. Throws "in-use" for a source that a guest uses or that
 * changes meanwhile, "unsupported", and the errors of listConverted(), createLogicalVolume()
 * and createPartition(). storageVolCreateXMLFrom() and virStorageBackendCreateBlockFrom() of libvirt
 */
export async function copyToVolume(
  instance: Instance,
  pool: DevicePool,
  copy: Copy,
): Promise<{ readonly name: string; readonly path: string; readonly source: string }> {
  const { backend, made, name: source } = await decideDeviceCopy(instance, pool, copy);
  const { name, path } = await backend.create(instance, pool, made);
  return { name, path, source };
}

/** Returns the steps of copyToVolume(), and changes nothing. Throws its errors. */
export async function planDeviceCopy(
  instance: Instance,
  pool: DevicePool,
  copy: Copy,
): Promise<readonly Step[]> {
  const { backend, made } = await decideDeviceCopy(instance, pool, copy);
  return await backend.planCreation(instance, pool, made);
}

/** Decides the volume to make, its data, and the name of its source. */
async function decideDeviceCopy(
  instance: Instance,
  pool: DevicePool,
  { flags, onProgress, source, volume }: Copy,
): Promise<{ readonly backend: VolumeBackend; readonly made: NewDevice; readonly name: string }> {
  const backend = volumeBackendOf(pool);
  if (backend === undefined) throw withoutOperation("volume creation from an existing volume");
  refuseFlags(flags);
  // Checked under the lock, and copied without it, as to a file.
  const { facts, images, name, sizeBytes } = await withUnusedVolume(
    instance,
    { ...source, attempt: "copy" },
    (from) => ({ name: from.name, facts: from.facts, ...sourceData(instance, from, source.format) }),
  );
  const capacityBytes = Math.max(volume.capacityBytes ?? 0, sizeBytes);
  if (volume.backingStore !== undefined) throw notMade("backingStore", "a copy has none");
  if (backend.hasSparse && (volume.allocationBytes ?? capacityBytes) < capacityBytes)
    throw notMade("allocation", "a copy fills a sparse volume");
  const image = { format: "raw", options: {}, sizeBytes: capacityBytes, onProgress } as const;
  const data =
    images === undefined ? { from: facts.id, onProgress } : { conversion: conversionOf(images, image) };
  const sized = { ...volume, capacityBytes, allocationBytes: capacityBytes };
  return { backend, made: { volume: sized, source: facts.id.path, data }, name };
}

function refuseFlags({ isMetadataPreallocated, isReflink }: Copy["flags"]): void {
  if (isMetadataPreallocated === true)
    throw notPreallocated("metadata preallocation is not supported for block volumes");
  if (isReflink) throw notShared();
}

/** Describes the data of a volume. Throws as readDeclaredImage() and listConverted(). */
function sourceData(
  instance: Instance,
  { facts, sizeBytes }: { readonly facts: FileFacts; readonly sizeBytes: number },
  declared: Copy["source"]["format"],
): SourceData {
  const image = readDeclaredImage(instance, facts, declared);
  const { backing, capacityBytes = sizeBytes, format } = image;
  if (format === "raw" || format === "iso") return { sizeBytes, images: undefined };
  if (format !== "qcow2") throw notConverted(facts.id.path);
  const rules = { isAbove: backing !== undefined, isDeclared: declared !== undefined };
  return { sizeBytes: capacityBytes, images: listConverted(instance, { facts, format, ...rules }) };
}

function notShared(): SvirtError {
  return new SvirtError("Cannot create the volume: a device shares no data with another volume", {
    kind: "unsupported",
    remedy: "Leave --reflink out.",
  });
}

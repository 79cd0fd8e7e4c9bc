import { unlessRefused } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { type FileFormats, fileFormats } from "../../resolve/formats/file-formats.ts";
import { deviceBytes, type PoolDevice } from "../../resolve/pools/pool-device.ts";
import type { Instance } from "../../state/instance.ts";
import { problemOfName } from "../../storage/volume/volume-name.ts";
import { isVolume, pathIn } from "./find-volume.ts";
import { inspectNamed } from "./image-names.ts";
import { listLogical } from "./logical-facts.ts";
import { describeImage, type VolumeImage } from "./volume-image.ts";
import { type DevicePool, findAnyPool } from "./volume-pool.ts";

/** Entry of a pool's folder that is a volume. */
interface VolumeFile {
  readonly name: string;
  readonly path: string;
  readonly facts: FileFacts;
}

/** Volume in a list. */
interface ListedVolume {
  readonly name: string;
  readonly path: string;
  readonly type: "file" | "block" | "dir";
  readonly format: string;
  readonly capacityBytes: number;
  readonly allocationBytes: number;
}

/** Volume in a list without facts that only its content has. */
type VolumeEntry = Pick<ListedVolume, "name" | "path" | "type"> & { readonly key: string };

/**
 * Lists the volumes of a pool by their names, ignoring case. Throws "not-found", "wrong-state".
 * virshStorageVolSorter() of libvirt
 */
export async function listPoolVolumes(instance: Instance, pool: string): Promise<readonly VolumeEntry[]> {
  const found = await findAnyPool(instance, pool);
  if (found.folder === undefined)
    return sorted(found.devices).map(({ key, name, path }) => ({ name, key, path, type: "block" }));
  return sorted(listVolumeFiles(instance, found.folder)).map(({ facts, name, path }) => ({
    name,
    key: path,
    path,
    type: facts.type === "folder" ? "dir" : "file",
  }));
}

/** Lists the volumes of a pool with their formats and sizes, as listPoolVolumes(). */
export async function listPoolVolumesWithSizes(
  instance: Instance,
  pool: string,
): Promise<readonly ListedVolume[]> {
  const found = await findAnyPool(instance, pool);
  if (found.folder === undefined) {
    const allocated = await allocationsOf(instance, found);
    return sorted(found.devices).map((device) => {
      const listed = listedDevice(instance, device);
      return { ...listed, allocationBytes: allocated.get(device.name) ?? listed.allocationBytes };
    });
  }
  const formats = fileFormats(instance);
  return sorted(listVolumeFiles(instance, found.folder)).map(({ facts, name, path }) => {
    if (facts.type === "folder")
      return { name, path, type: "dir", format: "dir", capacityBytes: 0, allocationBytes: 0 };
    const { capacityBytes = facts.sizeBytes, format } = readAnyImage(instance, facts, formats);
    return { name, path, type: "file", format, capacityBytes, allocationBytes: facts.allocatedBytes };
  });
}

/**
 * Lists the entries of a folder that are volumes, in no order. Symlinks, sockets, FIFOs and devices are none,
 * nor are files that svirt is creating, names with control characters, and files that svirt's domain must not
 * inspect. virStorageBackendRefreshLocal() of libvirt, which follows symlinks
 */
function listVolumeFiles(instance: Instance, folder: FileFacts): readonly VolumeFile[] {
  return instance.host.listFolder(folder.id.path).flatMap((name) => {
    if (problemOfName(name) !== undefined) return [];
    const path = pathIn(folder, name);
    const facts = inspectNamed(instance, path);
    return facts !== undefined && isVolume(facts, path) ? [{ name, path, facts }] : [];
  });
}

/** Returns the space of each volume of a pool of type logical: a sparse one has less than its size. */
async function allocationsOf(instance: Instance, pool: DevicePool): Promise<ReadonlyMap<string, number>> {
  return new Map((await listLogical(instance, pool)).map(({ name, sizeBytes }) => [name, sizeBytes]));
}

/** Describes a device by sysfs. Its content is not read: a device that hangs would hang the list. */
function listedDevice({ host }: Instance, { facts, name, path }: PoolDevice): ListedVolume {
  const sizeBytes = deviceBytes(host, facts);
  return {
    name,
    path,
    type: "block",
    format: "unknown",
    capacityBytes: sizeBytes,
    allocationBytes: sizeBytes,
  };
}

/** Describes an image by the header of its format; one that cannot be read is shown as raw. */
function readAnyImage(instance: Instance, facts: FileFacts, formats: FileFormats): VolumeImage {
  return unlessRefused(() => describeImage(instance, facts, formats)) ?? { format: "raw" };
}

function sorted<Named extends { readonly name: string }>(volumes: readonly Named[]): readonly Named[] {
  // The keys are made once: a folder may have thousands of files.
  const keyed = volumes.map((volume) => ({ key: volume.name.toLowerCase(), volume }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key))).map(({ volume }) => volume);
}

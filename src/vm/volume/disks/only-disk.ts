import type { BackingStore } from "../../../domain/devices/disk/backing-store.ts";
import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { imageFormatOf, isReadOnly } from "../../../domain/devices/disk/facts.ts";
import { parseDomainText } from "../../../domain/document.ts";
import type { Resource } from "../../../domain/resources/resource.ts";
import { listResources } from "../../../domain/resources/resources.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { listNamedPaths } from "../../../resolve/definition-names.ts";
import { fileFormats } from "../../../resolve/formats/file-formats.ts";
import type { Definition } from "../../../state/definitions.ts";
import type { Instance } from "../../../state/instance.ts";
import { hasManagedSave } from "../../../state/managed-save.ts";
import { readRecord } from "../../../state/record.ts";
import { hasSnapshots } from "../../../state/snapshots/snapshots.ts";
import { isNameOf, leadsTo } from "../image-names.ts";

/** File, and how to find the paths of a volume by its pool. */
interface Sought {
  readonly file: FileId;
  pathsOf(pool: string, volume: string): readonly string[];
}

/**
 * Whether a definition that names a file does so only for a disk of its domain alone, which is off, without a
 * saved state and without snapshots: not for a medium, a disk that others may share, a file below a disk, or
 * anything else.
 */
export function isOnlyDiskOf(
  instance: Instance,
  { name, uuid, xml }: Definition,
  { file, pathsOf }: Sought,
): boolean {
  if (readRecord(instance, uuid) !== undefined) return false;
  if (hasManagedSave(instance, name) || hasSnapshots(instance, uuid)) return false;
  const isFile = (path: string): boolean => isNameOf(instance, path, file);
  const search = { file, formats: fileFormats(instance), vain: new Set<string>() };
  const isBelow = (path: string): boolean => leadsTo(instance, { image: { path, as: "claimed" }, ...search });
  const domain = parseDomainText(xml);
  const { disks } = domain.devices;
  const own = disks.filter((disk) => ownPaths(disk, pathsOf).some(isFile));
  if (own.length === 0 || own.some((disk) => disk.shareable || isReadOnly(disk))) return false;
  const tops = new Set(own.flatMap((disk) => ownPaths(disk, pathsOf)));
  if (listNamedPaths(xml).some((path) => isFile(path) && !tops.has(path))) return false;
  if (listResources(domain).flatMap(otherPaths).some(isFile)) return false;
  return !disks.some(
    (disk) =>
      namesVolume(disk.backingStore) ||
      (!own.includes(disk) && mayHaveBacking(disk) && ownPaths(disk, pathsOf).some(isBelow)),
  );
}

/** Returns the paths of a disk's own image. */
function ownPaths(disk: Disk, pathsOf: Sought["pathsOf"]): readonly string[] {
  if (disk.source === undefined) return [];
  if (disk.type === "file") return [disk.source.file];
  if (disk.type === "block") return [disk.source.dev];
  return disk.type === "volume" ? pathsOf(disk.source.pool, disk.source.volume) : [];
}

/** In a raw image only the guest can have written a header. */
function mayHaveBacking(disk: Disk): boolean {
  const format = imageFormatOf(disk);
  return format !== undefined && format !== "raw";
}

/** Whether a file below a disk is named by its pool, so that it is not among the resources. */
function namesVolume(store: BackingStore | undefined): boolean {
  for (let next = store; next !== undefined && next.type !== "end"; next = next.backingStore)
    if (next.type === "volume") return true;
  return false;
}

function otherPaths(resource: Resource): readonly string[] {
  if (resource.kind !== "disk") return [resource.path];
  const { backing, dataFile } = resource;
  return [dataFile, ...backing, ...backing.map((image) => image.dataFile)].flatMap((one) => one?.path ?? []);
}

import type { BackingStore } from "../../domain/devices/disk/backing-store.ts";
import { parseDomainText } from "../../domain/document.ts";
import type { Resource } from "../../domain/resources/resource.ts";
import { listResources } from "../../domain/resources/resources.ts";
import type { FileId } from "../../plan/facts/file.ts";
import type { Instance } from "../../state/instance.ts";
import { isNameOf, leadsTo } from "./image-names.ts";

/** Whether a definition that names a file does so only for the image of a disk itself: not for one below a disk, and for nothing else. */
export function isOnlyDiskOf(instance: Instance, xml: string, file: FileId): boolean {
  const domain = parseDomainText(xml);
  if (domain.devices.disks.some(({ backingStore }) => namesVolume(backingStore))) return false;
  const resources = listResources(domain);
  const isFile = (path: string): boolean => isNameOf(instance, path, file);
  if (resources.flatMap(listOtherPaths).some(isFile)) return false;
  const tops = resources.flatMap((resource) => (resource.kind === "disk" ? [resource.path] : []));
  return !tops.some((path) => !isFile(path) && leadsTo(instance, { path, file, seen: new Set() }));
}

/** Whether a file below a disk is named by its pool, so that it is not among the resources. */
function namesVolume(store: BackingStore | undefined): boolean {
  for (let next = store; next !== undefined && next.type !== "end"; next = next.backingStore)
    if (next.type === "volume") return true;
  return false;
}

function listOtherPaths(resource: Resource): readonly string[] {
  if (resource.kind !== "disk") return [resource.path];
  const { backing, dataFile } = resource;
  return [dataFile, ...backing, ...backing.map((image) => image.dataFile)].flatMap((one) => one?.path ?? []);
}

import { isWithin } from "../../plan/folder-of.ts";
import type { Step } from "../../plan/steps/step.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { ownerName, readRecords } from "../../state/record.ts";
import { allSteps } from "../../state/shutoff-reason.ts";

/**
 * Returns the name of a guest with a claim on a file of a mounted file system; undefined without a guest. It
 * asks no server. Without the file, the guest's end could not restore its label. The caller holds the
 * registry's lock.
 */
export function findGuestOn(instance: Instance, device: string): string | undefined {
  const registry = registryOf(instance);
  const [holder] = registry
    .listKeys("file")
    .filter((key) => key.startsWith(`inode-${device}-`))
    .flatMap((key) => registry.listHolders("file", key));
  return holder === undefined ? undefined : ownerName(instance, holder);
}

/**
 * Returns the name of a guest with a file in a folder, with a shared folder around it or in it, or with its
 * own mount there; undefined without a guest. A mount there would hide the file from the guest's end, and so
 * from the restoring of labels, and would appear in the shared folder, or below the guest's mount. The caller
 * holds the registry's lock. `except`: the UUID of a guest to ignore.
 */
export function findGuestBelow(instance: Instance, path: string, except?: string): string | undefined {
  const others = readRecords(instance).filter(({ uuid }) => uuid !== except);
  return others.find((guest) => allSteps(guest).some((step) => isBelow(step, path)))?.name;
}

/**
 * Returns the name of a guest with a mounted folder below a path, now or when its end began; undefined
 * without a guest.
 */
export function findGuestMounting(instance: Instance, path: string): string | undefined {
  return readRecords(instance).find((guest) =>
    allSteps(guest).some((step) => step.do === "mount-folder" && isWithin(step.path, path)),
  )?.name;
}

function isBelow(step: Step, path: string): boolean {
  if (step.do === "share-tree" && isWithin(path, step.folder.path)) return true;
  if (step.do === "mount-folder" && isWithin(path, step.path)) return true;
  const named = [
    "file" in step ? step.file.path : undefined,
    "folder" in step && typeof step.folder === "object" ? step.folder.path : undefined,
    "path" in step ? step.path : undefined,
  ];
  return named.some((one) => one !== undefined && isWithin(one, path));
}

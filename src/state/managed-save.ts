import type { TargetFile } from "../plan/actions/stream.ts";
import type { Instance } from "./instance.ts";
import { partPath } from "./part-path.ts";

const ENDING = ".save";

/** Path of a domain's managed save, restored by the next start. */
export function managedSavePath({ paths }: Instance, name: string): string {
  return `${folder(paths.state)}/${name}${ENDING}`;
}

/** Lists the names of the domains with a managed save. */
export function listManagedSaves({ host, paths }: Instance): readonly string[] {
  const files = host.listFolder(folder(paths.state)).filter((file) => file.endsWith(ENDING));
  return files.map((file) => file.slice(0, -ENDING.length));
}

/** Returns whether the domain has a managed save, from which the next start resumes. */
export function hasManagedSave(instance: Instance, name: string): boolean {
  return instance.host.inspectFile(managedSavePath(instance, name)) !== undefined;
}

/** Removes the managed save. Returns false if there was none. */
export function removeManagedSave(instance: Instance, name: string): boolean {
  const did = hasManagedSave(instance, name);
  instance.host.removeFile(managedSavePath(instance, name));
  return did;
}

/**
 * Returns the target of a managed save, in svirt's folder, to which no other program writes. Makes the folder
 * if it is missing.
 */
export function managedTarget(
  instance: Instance,
  { name, uuid }: { readonly name: string; readonly uuid: string },
): TargetFile {
  instance.host.makeFolder({ path: folder(instance.paths.state), mode: 0o700 });
  const path = managedSavePath(instance, name);
  return { part: partPath(path, uuid), path, label: undefined };
}

function folder(state: string): string {
  return `${state}/save`;
}

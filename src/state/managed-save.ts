import type { TargetFile } from "../plan/actions/stream.ts";
import { getFileLabel } from "../run/labels/get-file-label.ts";
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

/** Makes svirt's folder of managed saves, to which no other program writes. It stays. */
export function makeSaveFolder({ host, paths }: Instance): void {
  host.makeFolder({ path: folder(paths.state), mode: 0o700 });
}

/** Returns the target of a managed save, in svirt's folder. It replaces an older one. */
export function managedTarget(
  instance: Instance,
  { name, uuid }: { readonly name: string; readonly uuid: string },
): TargetFile {
  const path = managedSavePath(instance, name);
  const old = instance.host.inspectFile(path);
  const before = old === undefined ? undefined : getFileLabel(instance.host, old.id);
  return { part: partPath(path, uuid), path, label: undefined, before };
}

function folder(state: string): string {
  return `${state}/save`;
}

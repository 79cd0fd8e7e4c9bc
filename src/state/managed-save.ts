import type { TargetFile } from "../plan/actions/stream.ts";
import type { Node } from "./instance.ts";
import { partPath } from "./part-path.ts";

/** Path of a domain's managed save, which the next start restores. */
export function managedSavePath({ paths }: Node, name: string): string {
  return `${folder(paths.state)}/${name}.save`;
}

/** Returns whether the domain has a managed save, from which the next start resumes. */
export function hasManagedSave(node: Node, name: string): boolean {
  return node.host.inspectFile(managedSavePath(node, name)) !== undefined;
}

/** Removes the managed save. Returns false if there was none. */
export function removeManagedSave(node: Node, name: string): boolean {
  const did = hasManagedSave(node, name);
  node.host.removeFile(managedSavePath(node, name));
  return did;
}

/**
 * Returns the target of a managed save, in svirt's folder, to which no other program writes. Makes the folder if it is
 * missing.
 */
export function managedTarget(
  node: Node,
  { name, uuid }: { readonly name: string; readonly uuid: string },
): TargetFile {
  node.host.makeFolder({ path: folder(node.paths.state), mode: 0o700 });
  const path = managedSavePath(node, name);
  return { part: partPath(path, uuid), path, label: undefined };
}

function folder(state: string): string {
  return `${state}/save`;
}

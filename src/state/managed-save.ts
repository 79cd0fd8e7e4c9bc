import type { TargetFile } from "../plan/actions/stream.ts";
import type { Node } from "./instance.ts";
import { partPath } from "./part-path.ts";

/** Where the next start finds the state that a domain was left in. */
export function managedSavePath({ paths }: Node, name: string): string {
  return `${folder(paths.state)}/${name}.save`;
}

/** Whether there is one: then the next start goes on from there. */
export function hasManagedSave(node: Node, name: string): boolean {
  return node.host.inspectFile(managedSavePath(node, name)) !== undefined;
}

/** It is removed; false when there was none. */
export function removeManagedSave(node: Node, name: string): boolean {
  const did = hasManagedSave(node, name);
  node.host.removeFile(managedSavePath(node, name));
  return did;
}

/** svirt's own folder, which nobody else writes to. Made if it is missing. */
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

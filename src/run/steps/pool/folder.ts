import { SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import type { Host } from "../../../host/host.ts";
import { fileKey } from "../../../plan/facts/file-key.ts";
import { folderOf } from "../../../plan/folder-of.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import { putFileLabel } from "../../labels/file-label.ts";
import { getFileLabel } from "../../labels/get-file-label.ts";

/** Makes a folder. Throws "denied" if its path leads through a symbolic link, "host-call" if it exists. */
export function makePoolFolder(host: Host, step: StepOf<"make-pool-folder">): void {
  const { above, gid, label, mode, path, uid } = step;
  const made = host.makeFolderWithin(above ?? folderAt(host, folderOf(path)).id, { path, mode });
  if (uid === undefined && gid === undefined && label === undefined) return;
  const is = folderAt(host, path);
  if (fileKey(is.id) !== fileKey(made)) throw replaced(path);
  setProperties(host, is, { uid: uid ?? is.uid, gid: gid ?? is.gid, mode: is.mode, label });
}

/** Removes a folder that is empty. A missing folder and a folder with files are left alone. */
export function dropPoolFolder(host: Host, path: string): void {
  const facts = host.inspectFile(path);
  if (facts?.type !== "folder" || facts.id.path !== path || host.listFolder(path).length > 0) return;
  host.removeEmptyFolder(facts.id);
}

/** Sets the properties of a folder that differ. Throws "denied" if it is another folder than planned. */
export function setPoolPermissions(host: Host, { folder, to }: StepOf<"set-pool-permissions">): void {
  const is = folderAt(host, folder.path);
  if (fileKey(is.id) !== fileKey(folder)) throw replaced(folder.path);
  setProperties(host, is, { ...to, label: to.label });
}

/** Sets the properties that a folder had before. Another folder at its path is left alone. */
export function restorePoolPermissions(host: Host, { folder, to }: StepOf<"restore-pool-permissions">): void {
  const is = host.inspectFile(folder.path);
  if (is === undefined || fileKey(is.id) !== fileKey(folder)) return;
  setProperties(host, is, { ...to, label: to.label });
}

interface Properties {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly label: string | undefined;
}

function setProperties(host: Host, is: FileFacts, { gid, label, mode, uid }: Properties): void {
  if (is.uid !== uid || is.gid !== gid || is.mode !== mode) host.setOwnership(is.id, { uid, gid, mode });
  if (label !== undefined && getFileLabel(host, is.id) !== label) putFileLabel(host, is.id, label);
}

function folderAt(host: Host, path: string): FileFacts {
  const facts = host.inspectFile(path);
  if (facts?.type === "folder" && facts.id.path === path) return facts;
  throw replaced(path);
}

function replaced(path: string): SvirtError {
  return new SvirtError(`Cannot build ${path}: the folder was replaced after svirt inspected it`, {
    kind: "denied",
    remedy: "Build the pool as root on the node, or leave <permissions> out.",
  });
}

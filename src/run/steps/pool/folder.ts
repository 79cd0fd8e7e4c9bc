import { SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import type { Host } from "../../../host/host.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { fileKey } from "../../../plan/facts/file-key.ts";
import { folderOf } from "../../../plan/folder-of.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import type { Actor } from "../../actor.ts";
import { putFileLabel } from "../../labels/file-label.ts";
import { getFileLabel } from "../../labels/get-file-label.ts";
import { findMountAt } from "../../mount-at.ts";

/** Makes a folder. Throws "denied" if its path leads through a symbolic link, "host-call" if it exists. */
export function makePoolFolder(host: Host, step: StepOf<"make-pool-folder">): void {
  const { above, gid, label, mode, path, uid } = step;
  const made = host.makeFolderWithin(above ?? folderAt(host, folderOf(path)).id, { path, mode });
  if (uid === undefined && gid === undefined && label === undefined) return;
  const is = folderAt(host, path);
  if (fileKey(is.id) !== fileKey(made)) throw replaced(path);
  setProperties(host, is, { uid: uid ?? is.uid, gid: gid ?? is.gid, mode: is.mode, label });
}

/**
 * Removes a folder that is empty. A missing folder, a folder with files, a mount point and a guest's folder
 * are left alone: they have been used since an interrupted build.
 */
export function dropPoolFolder(actor: Actor, path: string): void {
  const { host } = actor;
  if (findMountAt(host, path) !== undefined) return;
  const facts = host.inspectFile(path);
  if (facts?.type !== "folder" || facts.id.path !== path || isClaimed(actor, facts.id)) return;
  if (host.listFolder(path).length === 0) host.removeEmptyFolder(facts.id);
}

/** Sets the properties of a folder that differ. Throws "denied" if it is another folder than planned. */
export function setPoolPermissions(host: Host, { folder, to }: StepOf<"set-pool-permissions">): void {
  const is = folderAt(host, folder.path);
  if (fileKey(is.id) !== fileKey(folder)) throw replaced(folder.path);
  setProperties(host, is, { ...to, label: to.label });
}

/**
 * Sets the properties that a folder had before. A property that was changed since is left alone, and so are
 * another folder at its path and a guest's folder.
 */
export function restorePoolPermissions(actor: Actor, step: StepOf<"restore-pool-permissions">): void {
  const { host } = actor;
  const { folder, from, to } = step;
  const is = host.inspectFile(folder.path);
  if (is === undefined || fileKey(is.id) !== fileKey(folder) || isClaimed(actor, folder)) return;
  setProperties(host, is, {
    uid: is.uid === from.uid ? to.uid : is.uid,
    gid: is.gid === from.gid ? to.gid : is.gid,
    mode: is.mode === from.mode ? to.mode : is.mode,
    label: from.label === getFileLabel(host, is.id) ? to.label : undefined,
  });
}

function isClaimed({ registry }: Actor, folder: FileId): boolean {
  return registry.listHolders("file", fileKey(folder)).length > 0;
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

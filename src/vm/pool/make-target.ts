import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { withUnusedFile } from "../../labelling/free-file.ts";
import { type FileId, fileKey } from "../../plan/facts/file.ts";
import { putLabel } from "../../run/labels/file-label.ts";
import type { Instance } from "../../state/instance.ts";
import type { Permissions } from "../../storage/permissions.ts";
import type { FolderPool } from "../../storage/pool/rules/startable.ts";
import { existingTarget, findTarget } from "./find-target.ts";
import { targetLabel } from "./target-label.ts";

/** Mode of a folder that is made without one. VIR_STORAGE_DEFAULT_POOL_PERM_MODE of libvirt */
const DEFAULT_MODE = 0o711;

/** Errors for files that guests of the past still hold, of withHeld(). */
export type Held = ReadonlyMap<string, SvirtError>;

/**
 * Makes the target of a pool, with the folders above it, and gives it the permissions in the XML. A target that exists gets
 * only those. May be repeated after it was killed. Throws "denied" for a place or a label that guests may not have. The caller
 * holds the registry's lock. virStorageBackendBuildLocal() of libvirt
 */
export function makeTarget(instance: Instance, { name, target }: FolderPool, held: Held): void {
  const { host } = instance;
  const { path, permissions = {} } = target;
  const label = targetLabel(instance, target);
  const { missing, nearest } = findTarget(host, path);
  if (missing.length === 0 && instance.isForKey === true) refuseForKey(nearest, permissions);
  let made: FileId = nearest.id;
  for (const one of missing) {
    const mode = one === path ? permissions.mode : undefined;
    made = host.makeFolderWithin(made, { path: one, mode: mode ?? DEFAULT_MODE });
  }
  setPermissions(instance, existingTarget(host, path, name), permissions);
  if (label !== undefined) setLabel(instance, { folder: made, label, held });
  // The label of the folder decides, too.
  existingTarget(host, path, name);
}

function setPermissions(
  { host }: Instance,
  { gid, id, mode, uid }: FileFacts,
  { group, mode: wanted, owner }: Permissions,
): void {
  const is = { uid, gid, mode };
  const to = { uid: owner ?? uid, gid: group ?? gid, mode: wanted ?? mode };
  if (is.uid !== to.uid || is.gid !== to.gid || is.mode !== to.mode) host.setOwnership(id, to);
}

/** Labels the folder unless a guest uses it. */
function setLabel(
  instance: Instance,
  { folder, held, label }: { readonly folder: FileId; readonly label: string; readonly held: Held },
): void {
  const { path } = folder;
  withUnusedFile(instance, { path, held }, (file, marks) => {
    if (fileKey(file.facts.id) !== fileKey(folder) || file.facts.id.path !== path)
      throw denied(`Cannot label ${path}: the folder was replaced after svirt inspected it`);
    if (marks.label !== label) putLabel(file, path, label);
  });
}

/** Throws "denied" for a change of an existing folder by the holder of a key: others may use it. */
function refuseForKey(
  { gid, id, mode, uid }: FileFacts,
  { group, label, mode: wanted, owner }: Permissions,
): void {
  const isSame = [owner ?? uid, group ?? gid, wanted ?? mode].join() === [uid, gid, mode].join();
  if (isSame && label === undefined) return;
  throw denied(
    `Cannot change the permissions of ${id.path}: the folder exists, and this is a restricted key`,
  );
}

function denied(message: string): SvirtError {
  return new SvirtError(message, {
    kind: "denied",
    remedy: "Build the pool as root on the node, or leave <permissions> out.",
  });
}

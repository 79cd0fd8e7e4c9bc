import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { withUnusedFile } from "../../labelling/free-file.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { hasMount } from "../../resolve/pool-mount.ts";
import { putLabel } from "../../run/labels/file-label.ts";
import { getFileLabel } from "../../run/labels/get-file-label.ts";
import type { Instance } from "../../state/instance.ts";
import { MODE_BITS } from "../../storage/mode-bits.ts";
import type { Permissions } from "../../storage/permissions.ts";
import type { TargetPool } from "../../storage/pool/rules/startable.ts";
import { findTarget } from "./find-target.ts";
import { targetLabel } from "./target-label.ts";

/** Mode of a new folder without a given mode. VIR_STORAGE_DEFAULT_POOL_PERM_MODE of libvirt */
export const DEFAULT_MODE = 0o711;

/** Errors for files still held by ended guests, of withHeld(). */
export type Held = ReadonlyMap<string, SvirtError>;

/**
 * Makes the target of a pool, with the folders above it, and gives it the permissions in the XML. An existing
 * target gets only these. May be repeated after a kill. Throws "denied" for a place or a label forbidden to
 * guests. The caller holds the registry's lock. virStorageBackendBuildLocal() of libvirt
 */
export function makeTarget(instance: Instance, pool: TargetPool, held: Held): void {
  const { host } = instance;
  const { path, permissions = {} } = pool.target;
  // The label of a mount differs from the label of the folder below it.
  const label = hasMount(pool) ? undefined : targetLabel(instance, pool.target);
  const { missing, nearest } = findTarget(host, path);
  if (missing.length === 0 && instance.isForKey === true)
    refuseForKey(instance, nearest, { ...permissions, label });
  let made: FileId = nearest.id;
  for (const one of missing) {
    const mode = one === path ? permissions.mode : undefined;
    made = host.makeFolderWithin(made, { path: one, mode: mode ?? DEFAULT_MODE });
  }
  if (Object.keys(permissions).length > 0)
    setPermissions(instance, { folder: made, held }, { ...permissions, label });
  // The label of the folder decides, too.
  findTarget(host, path);
}

/** Owner, group, mode and label that a folder gets; undefined: it keeps its own. */
type Wanted = Omit<Permissions, "label"> & { readonly label: string | undefined };

/** Gives a folder its permissions unless a guest uses it. */
function setPermissions(
  instance: Instance,
  { folder, held }: { readonly folder: FileId; readonly held: Held },
  { group, label, mode, owner }: Wanted,
): void {
  const { path } = folder;
  withUnusedFile(instance, { path, held }, (file, marks) => {
    const is = file.facts;
    if (fileKey(is.id) !== fileKey(folder) || is.id.path !== path)
      throw denied(`Cannot build ${path}: the folder was replaced after svirt inspected it`);
    const to = { uid: owner ?? is.uid, gid: group ?? is.gid, mode: modeOf(is, mode) };
    if (is.uid !== to.uid || is.gid !== to.gid || is.mode !== to.mode) instance.host.setOwnership(is.id, to);
    if (label !== undefined && marks.label !== label) putLabel(file, path, label);
  });
}

/**
 * Returns the mode that a folder gets. The XML has no sticky and set-group-ID bits, so a folder keeps its
 * own.
 */
function modeOf({ mode }: Pick<FileFacts, "mode">, wanted: number | undefined): number {
  return wanted === undefined ? mode : (mode & ~MODE_BITS) | wanted;
}

/** Throws "denied" for a change of an existing folder by the holder of a key: others may use it. */
function refuseForKey({ host }: Instance, folder: FileFacts, { group, label, mode, owner }: Wanted): void {
  const { gid, id, uid } = folder;
  const isSame = (owner ?? uid) === uid && (group ?? gid) === gid && modeOf(folder, mode) === folder.mode;
  if (isSame && (label === undefined || label === getFileLabel(host, id))) return;
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

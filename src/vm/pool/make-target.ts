import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { withUnusedFile } from "../../labelling/free-file.ts";
import type { PoolStep } from "../../plan/steps/pool.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import { hasMount } from "../../resolve/pool-mount.ts";
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
 * Returns the steps that make the target of a pool, with the folders above it, and give it the permissions in
 * the XML. An existing target gets only these. Throws "denied" for a place or a label forbidden to guests.
 * The caller holds the registry's lock. virStorageBackendBuildLocal() of libvirt
 */
export function planTarget(instance: Instance, pool: TargetPool, held: Held): readonly PoolStep[] {
  const { path, permissions = {} } = pool.target;
  // The label of a mount differs from the label of the folder below it.
  const label = hasMount(pool) ? undefined : targetLabel(instance, pool.target);
  const { missing, nearest } = findTarget(instance.host, path);
  const wanted = { ...permissions, label };
  if (missing.length > 0)
    return missing.map((one, at) => ({
      ...folderStep(one, one === path ? wanted : {}),
      ...(at === 0 ? { above: nearest.id } : {}),
    }));
  if (instance.isForKey === true) refuseForKey(instance, nearest, wanted);
  if (Object.keys(permissions).length === 0) return [];
  return planPermissions(instance, { path, held }, wanted);
}

/** Owner, group, mode and label that a folder gets; undefined: it keeps its own. */
type Wanted = Omit<Permissions, "label"> & { readonly label: string | undefined };

function folderStep(
  path: string,
  { group, label, mode, owner }: Partial<Wanted>,
): StepOf<"make-pool-folder"> {
  return {
    do: "make-pool-folder",
    path,
    mode: mode ?? DEFAULT_MODE,
    ...(owner === undefined ? {} : { uid: owner }),
    ...(group === undefined ? {} : { gid: group }),
    ...(label === undefined ? {} : { label }),
  };
}

/** Returns the step that gives a folder its permissions. Throws "in-use" if a guest uses the folder. */
function planPermissions(
  instance: Instance,
  folder: { readonly path: string; readonly held: Held },
  { group, label, mode, owner }: Wanted,
): readonly PoolStep[] {
  return withUnusedFile(instance, folder, ({ facts }, marks) => {
    const { gid, id, mode: modeNow, uid } = facts;
    const from = { uid, gid, mode: modeNow };
    const to = { uid: owner ?? uid, gid: group ?? gid, mode: modeOf(facts, mode) };
    const isLabelled = label === undefined || marks.label === label;
    if (isLabelled && to.uid === uid && to.gid === gid && to.mode === modeNow) return [];
    return [
      {
        do: "set-pool-permissions",
        folder: id,
        from: { ...from, ...(isLabelled || marks.label === undefined ? {} : { label: marks.label }) },
        to: { ...to, ...(isLabelled ? {} : { label }) },
      },
    ];
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
  throw new SvirtError(
    `Cannot change the permissions of ${id.path}: the folder exists, and this is a restricted key`,
    { kind: "denied", remedy: "Build the pool as root on the node, or leave <permissions> out." },
  );
}

import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import type { PoolStep } from "../../plan/steps/pool.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { ownerName } from "../../state/record.ts";
import type { TargetPool } from "../../storage/pool/rules/startable.ts";
import { findTarget } from "./find-target.ts";
import { DEFAULT_MODE } from "./make-target.ts";

/** Mode with the bits of set-user-ID, set-group-ID and sticky. */
const ALL_MODE_BITS = 0o7777;
/** Folders that a distribution makes for images and mounts. hier(7) */
const OF_DISTRIBUTION = /^\/(?:[^/]+|var\/tmp|run\/media|var\/lib\/libvirt(?:\/images)?)$/;

/**
 * Returns the step that removes the folder of a pool, which must be empty. Throws "not-found" for a missing
 * folder, "wrong-state" for one with files, "in-use" for one that a guest uses, "denied". The caller holds
 * the registry's lock. virStorageBackendDeleteLocal() of libvirt
 */
export function planFolderRemoval(instance: Instance, { target: { path } }: TargetPool): readonly PoolStep[] {
  const { host } = instance;
  const { missing, nearest } = findTarget(host, path);
  if (missing.length > 0) throw failed(path, "No such file or directory", "not-found");
  if (instance.isForKey === true) refuseForKey(nearest);
  refuseUsed(instance, nearest.id);
  // rmdir(2) refuses a file that appears after this look.
  if (host.listFolder(path).length > 0) throw failed(path, "Directory not empty", "wrong-state");
  return [{ do: "remove-pool-folder", folder: nearest.id }];
}

/**
 * Throws "denied" for a folder that pool-build has not made, such as an empty mount point, and for one of the
 * distribution.
 */
function refuseForKey({ id: { path }, mode, uid }: FileFacts): void {
  if ((mode & ALL_MODE_BITS) === DEFAULT_MODE && uid === 0 && !OF_DISTRIBUTION.test(path)) return;
  throw new SvirtError(
    `failed to remove pool '${path}': a restricted key removes only folders that pool-build has made`,
    { kind: "denied", remedy: "Remove it as root on the node." },
  );
}

/** Throws "in-use" for a folder that a guest uses: its record names the folder until the guest's end. */
function refuseUsed(instance: Instance, folder: FileId): void {
  const [holder] = registryOf(instance).listHolders("file", fileKey(folder));
  if (holder === undefined) return;
  const guest = ownerName(instance, holder);
  throw new SvirtError(`failed to remove pool '${folder.path}': the guest ${guest} uses that folder`, {
    kind: "in-use",
    remedy: `Stop that guest: svirt shutdown ${guest}`,
  });
}

function failed(path: string, why: string, kind: "not-found" | "wrong-state"): SvirtError {
  return new SvirtError(`failed to remove pool '${path}': ${why}`, {
    kind,
    remedy:
      kind === "wrong-state"
        ? "Delete the files in the folder first."
        : "Undefine the pool, if it is not needed any more.",
  });
}

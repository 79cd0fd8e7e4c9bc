import { requestedLabel } from "../../labelling/requested-label.ts";
import type { Instance } from "../../state/instance.ts";
import type { PoolTarget } from "../../storage/pool/stored-pool.ts";

/**
 * Returns a pool's label for its folder, or for a mount without labels of files; undefined without a label.
 * Throws as requestedLabel().
 */
export function targetLabel(
  instance: Instance,
  { path, permissions: { label } = {} }: PoolTarget,
  isOfMount = false,
): string | undefined {
  if (label === undefined) return undefined;
  const what = "the folder of a storage pool";
  return requestedLabel(instance, {
    label,
    path,
    kind: "folder",
    folderLabel: undefined,
    isOfMount,
    what,
    place: "/pool/target/permissions/label",
  });
}

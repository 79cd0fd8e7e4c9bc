import { requestedLabel } from "../../labelling/requested-label.ts";
import type { Instance } from "../../state/instance.ts";
import type { PoolTarget } from "../../storage/pool/stored-pool.ts";

/**
 * Returns the label that a pool's XML gives to its folder, or to a mount whose files have no labels of their own; undefined
 * without one. Throws as requestedLabel().
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

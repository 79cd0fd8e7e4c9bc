import type { Instance } from "../../state/instance.ts";
import type { SnapshotTree, StoredSnapshot } from "../../state/snapshots/snapshots.ts";
import { carryOut } from "../object-change/carry-out.ts";
import { changeSnapshots, type SnapshotsChange } from "./change-snapshots.ts";
import { snapshotIn } from "./find-snapshot.ts";
import { withoutOne } from "./remove-from-tree.ts";
import { listBelow } from "./select-snapshots.ts";

/** Snapshots to delete: a single snapshot, the snapshot and all below it, or only the snapshots below it. */
export interface DeletedSnapshots {
  readonly which: "one" | "tree" | "children";
  /** Only their data is removed, and their images stay. */
  readonly isMetadataOnly: boolean;
}

/**
 * Removes the data of snapshots; without `isMetadataOnly`, their images are merged first. Returns files that
 * stay, and why. Throws "not-found", and as deleteWithImages().
 */
export async function deleteSnapshot(
  instance: Instance,
  key: string,
  { isMetadataOnly, name, which }: DeletedSnapshots & { readonly name: string },
): Promise<readonly string[]> {
  if (!isMetadataOnly) {
    const { deleteWithImages } = await import("./delete-images.ts");
    return await deleteWithImages(instance, key, { name, which });
  }
  await carryOut(instance, dataDeletion(key, { name, which }));
  return [];
}

/** Returns the change that removes the data of snapshots, and keeps their images. Throws "not-found". */
export function dataDeletion(
  key: string,
  { name, which }: Pick<DeletedSnapshots, "which"> & { readonly name: string },
): SnapshotsChange {
  return changeSnapshots("snapshot-delete", key, ({ tree }) => {
    snapshotIn(tree, name);
    const below = which === "one" ? [] : listBelow(tree, name);
    const rest = withoutNames(tree, new Set(below.map((one) => one.name)), name);
    return which === "children" ? rest : withoutOne(rest, name);
  });
}

/** Returns the snapshots without these. If the current snapshot is among them, `other` becomes current. */
function withoutNames(tree: SnapshotTree, names: ReadonlySet<string>, other: string): SnapshotTree {
  const current = tree.current !== undefined && names.has(tree.current) ? other : tree.current;
  return treeOf(
    current,
    tree.snapshots.filter(({ name }) => !names.has(name)),
  );
}

/** Returns snapshots with the current snapshot, or without a current snapshot. */
export function treeOf(current: string | undefined, snapshots: StoredSnapshot[]): SnapshotTree {
  return current === undefined ? { snapshots } : { current, snapshots };
}

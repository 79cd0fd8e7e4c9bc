import { changedSnapshot, replaceParent } from "../../state/snapshots/snapshot-tree.ts";
import type { SnapshotTree } from "../../state/snapshots/snapshots.ts";
import { snapshotIn } from "./find-snapshot.ts";

/**
 * Removes a snapshot. Its children get its parent; if it was current, its parent becomes current.
 * qemuSnapshotDiscard() of libvirt
 */
export function withoutOne(tree: SnapshotTree, name: string): SnapshotTree {
  const { parent } = snapshotIn(tree, name);
  const current = tree.current === name ? parent : tree.current;
  const snapshots = tree.snapshots
    .filter((one) => one.name !== name)
    .map((one) =>
      one.parent === name ? changedSnapshot(one, (value) => replaceParent(value, parent)) : one,
    );
  return { ...(current === undefined ? {} : { current }), snapshots };
}

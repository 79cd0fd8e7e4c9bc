import { changedSnapshot, replaceParent } from "../../state/snapshots/snapshot-tree.ts";
import type { SnapshotTree } from "../../state/snapshots/snapshots.ts";
import { snapshotIn } from "./find-snapshot.ts";

/** Returns the snapshots without one, whose parent becomes that of its children, and current in its place. qemuSnapshotDiscard() of libvirt */
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

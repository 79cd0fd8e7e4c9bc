import { withoutRevertDisks } from "../../state/snapshots/snapshot-tree.ts";
import { changeSnapshots, type SnapshotsChange } from "./change-snapshots.ts";
import { snapshotIn } from "./find-snapshot.ts";

/**
 * Returns the change that makes a snapshot current: the next snapshot is its child. No image changes. Throws
 * "not-found".
 */
export function newCurrent(key: string, name: string): SnapshotsChange {
  return changeSnapshots("snapshot-current", key, ({ tree }) => {
    snapshotIn(tree, name);
    if (tree.current === name) return tree;
    return { current: name, snapshots: withoutRevertDisks(tree, tree.current) };
  });
}

import type { Instance } from "../../state/instance.ts";
import { withoutRevertDisks } from "../../state/snapshots/snapshot-tree.ts";
import { changeSnapshots } from "./change-snapshots.ts";
import { snapshotIn } from "./find-snapshot.ts";

/** Makes a snapshot current: the next snapshot is its child. No image changes. Throws "not-found". */
export async function makeCurrent(instance: Instance, key: string, name: string): Promise<void> {
  await changeSnapshots(instance, key, ({ tree }) => {
    snapshotIn(tree, name);
    if (tree.current === name) return tree;
    return { current: name, snapshots: withoutRevertDisks(tree, tree.current) };
  });
}

import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { changedSnapshot, withParent } from "../../state/snapshots/snapshot-tree.ts";
import type { SnapshotTree, StoredSnapshot } from "../../state/snapshots/snapshots.ts";
import { changeSnapshots } from "./change-snapshots.ts";
import { snapshotIn } from "./find-snapshot.ts";
import { listBelow } from "./select-snapshots.ts";

/** Snapshots to delete: one, it and those below it, or only those below it. */
export interface DeletedSnapshots {
  readonly which: "one" | "tree" | "children";
  /** Only their data is removed, and their images stay: the only way. */
  readonly isMetadataOnly: boolean;
}

/** Removes the data of snapshots. Images are neither merged nor removed. Throws "not-found", "unsupported" without `isMetadataOnly`. */
export async function deleteSnapshot(
  instance: Instance,
  key: string,
  { isMetadataOnly, name, which }: DeletedSnapshots & { readonly name: string },
): Promise<void> {
  await changeSnapshots(instance, key, ({ tree }) => {
    const { xml } = snapshotIn(tree, name);
    if (!isMetadataOnly) throw withImages(xml);
    const below = which === "one" ? [] : listBelow(tree, name);
    const rest = withoutNames(tree, new Set(below.map((one) => one.name)), name);
    return which === "children" ? rest : withoutOne(rest, name);
  });
}

/** Returns the snapshots without these; if the current one is among them, the other one becomes current. */
function withoutNames(tree: SnapshotTree, names: ReadonlySet<string>, other: string): SnapshotTree {
  const current = tree.current !== undefined && names.has(tree.current) ? other : tree.current;
  return treeOf(
    current,
    tree.snapshots.filter(({ name }) => !names.has(name)),
  );
}

/** Returns the snapshots without one, whose parent becomes that of its children, and current in its place. qemuSnapshotDiscard() of libvirt */
function withoutOne(tree: SnapshotTree, name: string): SnapshotTree {
  const { parent } = snapshotIn(tree, name);
  return treeOf(
    tree.current === name ? parent : tree.current,
    tree.snapshots
      .filter((one) => one.name !== name)
      .map((one) => (one.parent === name ? changedSnapshot(one, (value) => withParent(value, parent)) : one)),
  );
}

/** Returns snapshots with that current one, or without one. */
export function treeOf(current: string | undefined, snapshots: StoredSnapshot[]): SnapshotTree {
  return current === undefined ? { snapshots } : { current, snapshots };
}

function withImages(xml: string): SvirtError {
  const why = xml.includes("snapshot='internal'") ? "inside an image" : "with their images";
  return new SvirtError(`Operation not supported: svirt does not delete snapshots ${why}`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy:
      "Merge the images if they are to go, svirt blockcommit or blockpull, and remove the data alone: --metadata",
  });
}

import {
  formatSnapshot,
  isExternalSnapshot,
  parseSnapshotText,
  type Snapshot,
} from "../../domain/other-documents/snapshot.ts";
import type { Instance } from "../instance.ts";
import { readSnapshots, type SnapshotTree, type StoredSnapshot, writeSnapshots } from "./snapshots.ts";

/** Returns a snapshot as it is stored. It has a name, a state and a time. */
export function storedSnapshot(snapshot: Snapshot): StoredSnapshot {
  const { active: _, ...kept } = snapshot;
  const { creationTime = 0, name = "", parent, state = "nostate" } = kept;
  return {
    name,
    ...(parent === undefined ? {} : { parent: parent.name }),
    state,
    createdAt: creationTime,
    isExternal: isExternalSnapshot(kept),
    xml: formatSnapshot(kept),
  };
}

/** Returns a stored snapshot with another content. */
export function changedSnapshot(
  stored: StoredSnapshot,
  change: (value: Snapshot) => Snapshot,
): StoredSnapshot {
  return storedSnapshot(change(parseSnapshotText(stored.xml)));
}

/** Returns a snapshot with the parent, or with none. */
export function replaceParent(value: Snapshot, parent: string | undefined): Snapshot {
  const { parent: _, ...rest } = value;
  return parent === undefined ? rest : { ...rest, parent: { name: parent } };
}

/** Adds a snapshot after the current snapshot, and makes it current. qemuSnapshotCreate() of libvirt */
export function addSnapshot(tree: SnapshotTree, value: Snapshot): SnapshotTree {
  const added = storedSnapshot(replaceParent(value, tree.current));
  const before = withoutRevertDisks(tree, tree.current);
  return { current: added.name, snapshots: [...before, added] };
}

/**
 * Returns the snapshots; of the named snapshot, the images of a revert are forgotten, since others now stand
 * on them.
 */
export function withoutRevertDisks(tree: SnapshotTree, name: string | undefined): StoredSnapshot[] {
  return tree.snapshots.map((one) =>
    one.name !== name || !one.xml.includes("<revertDisks>")
      ? one
      : changedSnapshot(one, ({ revertDisks: _, ...value }) => value),
  );
}

/**
 * Stores a snapshot that was taken of a guest, unless it is stored already: the call may be repeated. The
 * caller holds the registry's lock.
 */
export function keepSnapshot(instance: Instance, uuid: string, xml: string): void {
  const tree = readSnapshots(instance, uuid);
  const value = parseSnapshotText(xml);
  if (tree.snapshots.some(({ name }) => name === value.name)) return;
  writeSnapshots(instance, uuid, addSnapshot(tree, value));
}

import {
  formatSnapshot,
  isExternalSnapshot,
  parseSnapshot,
  parseSnapshotText,
  type Snapshot,
} from "../domain/other-documents/snapshot.ts";
import { SvirtError } from "../errors.ts";
import { MOST_BYTES } from "../xml/limits.ts";
import type { Instance } from "./instance.ts";
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

/** Maximum number of snapshots that libvirt's clients read in a list. REMOTE_DOMAIN_SNAPSHOT_LIST_MAX of libvirt's remote_protocol.x */
const MOST_SNAPSHOTS = 16_384;

/** Throws "unsupported" for one more snapshot than a list may have. Called before anything changes. */
export function refuseFull({ snapshots }: SnapshotTree, name: string): void {
  if (snapshots.length < MOST_SNAPSHOTS) return;
  throw new SvirtError(
    `Cannot store the snapshot ${name}: the domain has ${snapshots.length} snapshots, the most in a list of libvirt's clients`,
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy: "Forget old ones: svirt snapshot-delete DOMAIN SNAPSHOT --metadata; or add --no-metadata.",
    },
  );
}

/** Bytes left for what is added later: the parent, and the images of a revert. */
const ROOM_BYTES = 64 * 1024;

/** Throws "xml" for a snapshot that could not be read again once it is stored. Called before anything changes. */
export function refuseUnreadable(value: Snapshot): void {
  const bytes = new TextEncoder().encode(formatSnapshot(value));
  parseSnapshot(bytes);
  if (bytes.length <= MOST_BYTES - ROOM_BYTES) return;
  throw new SvirtError(`Cannot store the snapshot ${value.name}: its XML has ${bytes.length} bytes`, {
    kind: "xml",
    remedy: "Shorten the domain's description or metadata, or add --no-metadata.",
  });
}

/** Returns a snapshot with that parent, or with none. */
export function withParent(value: Snapshot, parent: string | undefined): Snapshot {
  const { parent: _, ...rest } = value;
  return parent === undefined ? rest : { ...rest, parent: { name: parent } };
}

/** Adds a snapshot after the current one, which it replaces as such. qemuSnapshotCreate() of libvirt */
export function addSnapshot(tree: SnapshotTree, value: Snapshot): SnapshotTree {
  const added = storedSnapshot(withParent(value, tree.current));
  const before = withoutRevertDisks(tree, tree.current);
  return { current: added.name, snapshots: [...before, added] };
}

/** Returns the snapshots; of one of that name, the images of a revert are forgotten, on which others now stand. */
export function withoutRevertDisks(tree: SnapshotTree, name: string | undefined): StoredSnapshot[] {
  return tree.snapshots.map((one) =>
    one.name !== name || !one.xml.includes("<revertDisks>")
      ? one
      : changedSnapshot(one, ({ revertDisks: _, ...value }) => value),
  );
}

/**
 * Stores a snapshot that was taken of a guest, unless it is stored already: the call may be repeated. The caller holds the registry's
 * lock.
 */
export function keepSnapshot(instance: Instance, uuid: string, xml: string): void {
  const tree = readSnapshots(instance, uuid);
  const value = parseSnapshotText(xml);
  if (tree.snapshots.some(({ name }) => name === value.name)) return;
  writeSnapshots(instance, uuid, addSnapshot(tree, value));
}

import type { BackingStore } from "../../domain/devices/disk/backing-store.ts";
import type { Disk } from "../../domain/devices/disk/disk.ts";
import { imagePath, replaceSource } from "../../domain/devices/disk/images.ts";
import { parseSnapshotText, type Snapshot } from "../../domain/other-documents/snapshot.ts";
import type { MergedDisk } from "../../state/snapshots/snapshot-merge.ts";
import { changedSnapshot } from "../../state/snapshots/snapshot-tree.ts";
import type { SnapshotTree } from "../../state/snapshots/snapshots.ts";
import { snapshotIn } from "./find-snapshot.ts";
import { withoutOne } from "./remove-from-tree.ts";
import { listBelow } from "./select-snapshots.ts";

/**
 * Returns the snapshots without the merged snapshot: snapshots below it have the images of the merge.
 * qemuSnapshotDeleteUpdateDisks() of libvirt
 */
export function mergedTree(tree: SnapshotTree, name: string, disks: readonly MergedDisk[]): SnapshotTree {
  const gone = parseSnapshotText(snapshotIn(tree, name).xml);
  const below = new Set(listBelow(tree, name).map((one) => one.name));
  const snapshots = tree.snapshots.map((one) =>
    below.has(one.name) ? changedSnapshot(one, (value) => addMerged(value, gone, disks)) : one,
  );
  return withoutOne({ ...tree, snapshots }, name);
}

type SnapshotDomain = NonNullable<Snapshot["domain"] | Snapshot["inactiveDomain"]>;

function addMerged(value: Snapshot, gone: Snapshot, disks: readonly MergedDisk[]): Snapshot {
  const { domain, inactiveDomain } = value;
  const stored = gone.inactiveDomain ?? gone.domain;
  return {
    ...value,
    ...(domain === undefined ? {} : { domain: changeDomain(domain, gone.domain, disks) }),
    ...(inactiveDomain === undefined ? {} : { inactiveDomain: changeDomain(inactiveDomain, stored, disks) }),
  };
}

function changeDomain<Changed extends SnapshotDomain>(
  domain: Changed,
  before: SnapshotDomain | undefined,
  merged: readonly MergedDisk[],
): Changed {
  if (!("devices" in domain)) return domain;
  const disks = domain.devices.disks.map((disk) => {
    const one = merged.find(({ target }) => target === disk.target.dev);
    return one === undefined ? disk : changeDisk(disk, diskOf(before, one.target), one);
  });
  return { ...domain, devices: { ...domain.devices, disks } };
}

function diskOf(domain: SnapshotDomain | undefined, target: string): Disk | undefined {
  if (domain === undefined || !("devices" in domain)) return undefined;
  return domain.devices.disks.find((disk) => disk.target.dev === target);
}

/** qemuSnapshotUpdateDisksSingle() of libvirt */
function changeDisk(disk: Disk, before: Disk | undefined, one: MergedDisk): Disk {
  const paths = [one.named, one.overlay.path];
  const path = imagePath(disk);
  if (path !== undefined && paths.includes(path) && before !== undefined) return replaceSource(disk, before);
  const { backingStore, ...rest } = disk;
  if (backingStore === undefined) return disk;
  const below = without(backingStore, paths);
  return (below === undefined ? rest : { ...rest, backingStore: below }) as Disk;
}

/**
 * Returns a chain without the image at one of these paths; undefined: the header of the image above names the
 * next.
 */
function without(store: BackingStore, paths: readonly string[]): BackingStore | undefined {
  if (store.type === "end") return store;
  const next = store.backingStore;
  if (store.type === "file" && paths.includes(store.source.file)) return next;
  const { backingStore: _, ...rest } = store;
  const below = next === undefined ? undefined : without(next, paths);
  return (below === undefined ? rest : { ...rest, backingStore: below }) as BackingStore;
}

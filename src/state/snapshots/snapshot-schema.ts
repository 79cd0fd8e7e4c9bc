import * as v from "valibot";
import { fileId } from "../../plan/facts/file.ts";
import { aNumber, aString, maybeString } from "../../plan/facts/plain-schemas.ts";
import { newImage } from "../../plan/steps/block.ts";

/** A snapshot with the facts by which it is found; its XML has them too. */
const storedSnapshot = v.strictObject({
  name: aString,
  /** Name of the snapshot before it; absent: none. */
  parent: maybeString,
  /** State of the domain, in libvirt's words. */
  state: aString,
  /** Seconds since 1970. */
  createdAt: aNumber,
  /** Whether it has images or memory in files of their own. */
  isExternal: v.boolean(),
  xml: aString,
});
export type StoredSnapshot = v.InferOutput<typeof storedSnapshot>;

/**
 * All snapshots of a domain, in `/var/lib/svirt/snapshots/UUID.json`: a single file, so each change of it is
 * complete or not made.
 */
const snapshotTree = v.strictObject({
  /** Name of the snapshot after which the domain's images were last changed; absent: none. */
  current: maybeString,
  /** A parent precedes its children. */
  snapshots: v.array(storedSnapshot),
});
export type SnapshotTree = v.InferOutput<typeof snapshotTree>;

/**
 * A change of the images of a domain that is off, as an older svirt wrote it to
 * `/var/lib/svirt/snapshot-changes/UUID.json` before its first step.
 */
const snapshotChange = v.strictObject({
  /** Name of the domain. */
  name: aString,
  images: v.array(v.strictObject(newImage)),
  definition: aString,
  /** Snapshots after the change. */
  tree: snapshotTree,
});

/**
 * A snapshot in a merge of its images into the images below, in `/var/lib/svirt/snapshot-changes/UUID.merge`:
 * written before the first image changes, removed once the snapshot is gone. Meanwhile the images below are
 * no longer the snapshot's.
 */
const snapshotMerge = v.strictObject({
  /** Name of the snapshot. */
  name: aString,
  /** svirt starts the guest, paused, only to merge its images. */
  starts: v.exactOptional(v.literal(true)),
  /** A commit was asked for: an image below may have changed. */
  isBegun: v.exactOptional(v.literal(true)),
  /** File with the memory of the snapshot, removed with it. */
  memory: v.exactOptional(fileId),
  disks: v.array(
    v.strictObject({
      /** Target of the disk. */
      target: aString,
      /** Path of the overlay in the snapshot's XML. */
      named: aString,
      /** The overlay, as it was found in the guest's chain. */
      overlay: fileId,
      /** QEMU has committed the overlay, and the guest no longer has it. */
      isMerged: v.exactOptional(v.literal(true)),
    }),
  ),
});
export type SnapshotMerge = v.InferOutput<typeof snapshotMerge>;

/** As parseSnapshotTree(). */
export function parseSnapshotMerge(text: string): SnapshotMerge {
  return v.parse(snapshotMerge, JSON.parse(text));
}

/** Throws the errors of valibot and JSON.parse() for any text that svirt has not written. */
export function parseSnapshotTree(text: string): SnapshotTree {
  return v.parse(snapshotTree, JSON.parse(text));
}

/** As parseSnapshotTree(). */
export function parseSnapshotChange(text: string): v.InferOutput<typeof snapshotChange> {
  return v.parse(snapshotChange, JSON.parse(text));
}

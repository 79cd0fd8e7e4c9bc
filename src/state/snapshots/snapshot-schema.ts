import * as v from "valibot";
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

/** All snapshots of a domain, in `/var/lib/svirt/snapshots/UUID.json`: one file, so that each change of it is complete or not made. */
const snapshotTree = v.strictObject({
  /** Name of the snapshot after which the domain's images were last changed; absent: none. */
  current: maybeString,
  /** A parent precedes its children. */
  snapshots: v.array(storedSnapshot),
});
export type SnapshotTree = v.InferOutput<typeof snapshotTree>;

/**
 * A change of the images of a domain that is off, in `/var/lib/svirt/snapshot-changes/UUID.json`: written before its first step, removed
 * after the last. It is made once the domain has its definition, and undone otherwise.
 */
const snapshotChange = v.strictObject({
  /** Name of the domain. */
  name: aString,
  images: v.array(v.strictObject(newImage)),
  definition: aString,
  /** Snapshots after the change. */
  tree: snapshotTree,
});
export type SnapshotChange = v.InferOutput<typeof snapshotChange>;

/** Throws the errors of valibot and JSON.parse() for any text that svirt has not written. */
export function parseSnapshotTree(text: string): SnapshotTree {
  return v.parse(snapshotTree, JSON.parse(text));
}

/** As parseSnapshotTree(). */
export function parseSnapshotChange(text: string): SnapshotChange {
  return v.parse(snapshotChange, JSON.parse(text));
}

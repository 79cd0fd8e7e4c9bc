import * as v from "valibot";
import { aString, maybeString } from "./plain-schemas.ts";

/** An image of a disk, as the XML would name it and as QEMU calls it. */
const chainImage = v.strictObject({
  node: aString,
  path: aString,
  format: v.picklist(["raw", "qcow2", "qed"]),
  storage: v.picklist(["file", "block"]),
});
export type ChainLink = v.InferOutput<typeof chainImage>;

/**
 * What QEMU is about to do to the images of a disk, or does in its own time: it stands in the guest's record from before
 * QEMU is told until what it came to has been carried out, so that any later call sees where it stands.
 */
export const blockJob = v.strictObject({
  type: v.picklist(["snapshot", "copy", "commit", "active-commit", "pull"]),
  /** The disk's target. */
  disk: aString,
  /** The id of its device in QEMU. */
  device: aString,
  /** QEMU's name for it; a snapshot has none: it is there or not. */
  job: maybeString,
  /** The nodes of the disk's images as they are, top first. */
  before: v.array(aString),
  /** Its images once it has succeeded, top first. */
  chain: v.array(chainImage),
  /** Somebody wants the disk to go over to the copy, or to the base, as soon as QEMU can. */
  pivots: v.exactOptional(v.literal(true)),
  /** An image that svirt has made for it. */
  made: maybeString,
});
export type BlockJob = v.InferOutput<typeof blockJob>;

import * as v from "valibot";
import { aString, maybeString } from "./plain-schemas.ts";

/** Name of the secret with a passphrase. */
export const passphraseName = v.strictObject({ uuid: maybeString, usage: maybeString });

/** Image of a disk, with its path in the XML and its node in QEMU. */
const chainImage = v.strictObject({
  node: aString,
  path: aString,
  format: v.picklist(["raw", "qcow2", "qed"]),
  storage: v.picklist(["file", "block"]),
  /** Name of the secret with the passphrase of an encrypted image. */
  secret: v.exactOptional(passphraseName),
});
export type ChainLink = v.InferOutput<typeof chainImage>;

/** Memory of a guest stopped since it was written. */
const snapshotMemory = v.strictObject({
  /** File with the memory until the snapshot is taken, and its path then. */
  part: aString,
  path: aString,
  /** Whether the guest ran before. */
  wasRunning: v.boolean(),
});
export type SnapshotMemory = v.InferOutput<typeof snapshotMemory>;

/**
 * Operation of QEMU on the images of a disk. The guest's record has it from before QEMU is asked until its
 * outcome is applied, so that any later call knows its state.
 */
export const blockJob = v.strictObject({
  type: v.picklist(["snapshot", "copy", "commit", "active-commit", "pull"]),
  /** Target of the disk. */
  disk: aString,
  /** Id of the disk's device in QEMU. */
  device: aString,
  /** QEMU's name of the job; absent for a snapshot, which exists or does not. */
  job: maybeString,
  /** Nodes of the disk's images before the job, top first. */
  before: v.array(aString),
  /** Images of the disk after success, top first. */
  chain: v.array(chainImage),
  /** The disk switches to the copy, or to the base, as soon as QEMU can. */
  pivots: v.exactOptional(v.literal(true)),
  /** Image created by svirt for the job. */
  made: maybeString,
  /** XML of the snapshot stored after success: of all its disks a single disk has it. */
  snapshot: maybeString,
  /** Memory of the snapshot, already written: the same disk has it. */
  memory: v.exactOptional(snapshotMemory),
  /** The commit deletes a snapshot. Its merge notes its success. */
  merges: v.exactOptional(v.literal(true)),
});
export type BlockJob = v.InferOutput<typeof blockJob>;

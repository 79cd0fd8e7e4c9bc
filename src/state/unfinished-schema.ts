import * as v from "valibot";
import { aString } from "../plan/facts/plain-schemas.ts";

const aCount = v.pipe(v.number(), v.integer(), v.minValue(0));
const ofPool = { format: v.literal(1), command: aString, name: aString, xml: aString, begunMs: aCount };

/**
 * Note of work left in part by a kill and settled by no other command: its steps wait for a server or a
 * program, or its old data is gone. The working call holds the lock of the note.
 */
const unfinishedWork = v.variant("kind", [
  /** Brings the source of a pool up or releases it: a session, or active volumes. It ends with the boot. */
  v.strictObject({ kind: v.literal("source"), ...ofPool }),
  /** Makes or removes the storage of a pool. */
  v.strictObject({ kind: v.literal("storage"), ...ofPool }),
  /** Overwrites a volume: all of it, or a part for an upload. */
  v.strictObject({
    kind: v.literal("volume"),
    format: v.literal(1),
    command: v.picklist(["vol-upload", "vol-wipe"]),
    path: aString,
    /** Inode of a file; absent for a device. */
    inode: v.exactOptional(aString),
    part: v.exactOptional(v.strictObject({ offset: aCount, mostBytes: v.exactOptional(aCount) })),
  }),
]);
export type Unfinished = v.InferOutput<typeof unfinishedWork>;
export type UnfinishedPoolWork = Exclude<Unfinished, { readonly kind: "volume" }>;

/** Parses the text of a note. Throws the errors of valibot and JSON.parse() for any other text. */
export function parseUnfinished(text: string): Unfinished {
  return v.parse(unfinishedWork, JSON.parse(text));
}

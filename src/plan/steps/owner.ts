import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { ownership } from "../facts/step-parts.ts";
import { type Kinds, noInverse } from "./kind.ts";

const common = { file: fileId, ownership };
const rememberOwner = v.strictObject({ do: v.literal("remember-owner"), ...common });
const restoreOwner = v.strictObject({ do: v.literal("restore-owner"), ...common });

/**
 * Remembers owner, group and mode of a file that its guest's user owns and could change, or restores them.
 */
export type OwnerStep = v.InferOutput<typeof rememberOwner | typeof restoreOwner>;

/** Definition of each kind of step in this file. */
export const ownerSteps: Kinds<OwnerStep> = {
  "remember-owner": {
    schema: rememberOwner,
    inverse: (done) => ({ ...done, do: "restore-owner" }),
    describe: (step) => `remember the owner of ${describeOwner(step)}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "restore-owner": {
    schema: restoreOwner,
    inverse: noInverse,
    describe: (step) => `restore the owner of ${describeOwner(step)}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
};

function describeOwner({ file: { path }, ownership: { gid, mode, uid } }: OwnerStep): string {
  return `${path}: mode ${mode.toString(8)}, uid ${uid}, gid ${gid}`;
}

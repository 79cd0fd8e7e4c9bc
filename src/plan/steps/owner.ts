import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { ownership } from "../facts/step-parts.ts";

const common = { file: fileId, ownership };

/** Remembers owner, group and mode of a file that its guest's user owns and could change, or restores them. */
export const ownerStep = v.variant("do", [
  v.strictObject({ do: v.literal("remember-owner"), ...common }),
  v.strictObject({ do: v.literal("restore-owner"), ...common }),
]);
export type OwnerStep = v.InferOutput<typeof ownerStep>;

/** Reports whether a step is an OwnerStep. */
export function isOwnerStep<Other extends { readonly do: string }>(
  step: Other | OwnerStep,
): step is OwnerStep {
  return step.do === "remember-owner" || step.do === "restore-owner";
}

/** Returns the inverse of a step; undefined if it has none. */
export function inverseOwner(done: OwnerStep): OwnerStep | undefined {
  return done.do === "remember-owner" ? { ...done, do: "restore-owner" } : undefined;
}

/** Describes the step in one line. */
export function describeOwner({
  do: name,
  file: { path },
  ownership: { gid, mode, uid },
}: OwnerStep): string {
  const verb = name === "remember-owner" ? `remember of ${path}` : `restore of ${path}`;
  return `${verb}: mode ${mode.toString(8)}, uid ${uid}, gid ${gid}`;
}

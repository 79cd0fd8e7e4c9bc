import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { ownership } from "../facts/step-parts.ts";

const common = { file: fileId, ownership };

/** What a guest could change of a file that its user owns is remembered in the record, and is put back. */
export const ownerStep = v.variant("do", [
  v.strictObject({ do: v.literal("remember-owner"), ...common }),
  v.strictObject({ do: v.literal("restore-owner"), ...common }),
]);
export type OwnerStep = v.InferOutput<typeof ownerStep>;

/** Whether a step is one of these. */
export function isOwnerStep<Other extends { readonly do: string }>(
  step: Other | OwnerStep,
): step is OwnerStep {
  return step.do === "remember-owner" || step.do === "restore-owner";
}

/** The step that takes such a step back; undefined where there is nothing to take back. */
export function inverseOwner(done: OwnerStep): OwnerStep | undefined {
  return done.do === "remember-owner" ? { ...done, do: "restore-owner" } : undefined;
}

/** One line for a person. */
export function describeOwner({
  do: name,
  file: { path },
  ownership: { gid, mode, uid },
}: OwnerStep): string {
  const verb = name === "remember-owner" ? `remember of ${path}` : `restore of ${path}`;
  return `${verb}: mode ${mode.toString(8)}, uid ${uid}, gid ${gid}`;
}

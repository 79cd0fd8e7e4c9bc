import type { LabelOverride } from "../domain/resources/resource.ts";
import type { LabelDecision } from "./label-decision.ts";
import { labelModel } from "./label-models.ts";
import type { FileRole } from "./role.ts";

// Rule: The role of a file decides its label, unless the XML overrides it.

/** Label decision for a file. */
export interface FileLabel {
  /** Undefined if the file keeps its label. */
  readonly to: string | undefined;
  /** Whether another guest may use the file at the same time. */
  readonly sharing: "exclusive" | "shared";
}

/** Returns the label for a file of this role; the XML may override it for the file or the whole domain. */
export function decideFileLabel(
  decision: LabelDecision,
  role: FileRole,
  override: LabelOverride | undefined,
): FileLabel {
  const sharing = sharingOf(role);
  const { files } = labelModel(decision.model);
  if (files === undefined || !decision.relabel || override?.relabel === "no")
    return { to: undefined, sharing };
  if (override !== undefined) return { to: files.canonical(override.label), sharing };
  return { to: labelOfRole(decision, role), sharing };
}

/** Decides whether guests may use a file of this role at the same time. */
export function sharingOf(role: FileRole): FileLabel["sharing"] {
  return role === "private" || role === "folder" ? "exclusive" : "shared";
}

/**
 * Returns the label of a role, even for a guest whose files are not relabelled. Undefined if the file keeps
 * its label.
 */
export function labelOfRole(decision: LabelDecision, role: FileRole): string | undefined {
  return labelModel(decision.model).files?.labelOf(decision, role);
}

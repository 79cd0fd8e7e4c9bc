import type { LabelOverride } from "../domain/resources.ts";
import { canonicalContext } from "../selinux/context.ts";
import type { LabelDecision } from "./decide-label.ts";

/**
 * What a file is to a guest: its own, a folder of its own with all that is in it, shared with other guests for writing,
 * content that it only reads, or a part of the host's own programs, such as firmware that a package has installed. The
 * reference labels them with the image label, not at all, the image context as it is, the content context, and not at all.
 */
export type FileRole = "private" | "folder" | "shared" | "content" | "host";

/** How a file is labelled. */
export interface FileLabel {
  /** Undefined: it keeps its label. */
  readonly to: string | undefined;
  /** Whether another guest may use the file at the same time. */
  readonly sharing: "exclusive" | "shared";
}

/** A disk's role by its XML: shareable wins over read-only, as in the reference. */
export function diskRole(disk: {
  readonly shareable: boolean;
  readonly access: "read-only" | "read-write";
}): FileRole {
  if (disk.shareable) return "shared";
  return disk.access === "read-only" ? "content" : "private";
}

/** The label for a file of that role, unless the XML says otherwise for it or for the whole domain. */
export function decideFileLabel(
  decision: LabelDecision,
  role: FileRole,
  override: LabelOverride | undefined,
): FileLabel {
  const sharing = role === "private" || role === "folder" ? "exclusive" : "shared";
  if (!decision.relabel || override?.relabel === "no") return { to: undefined, sharing };
  if (override !== undefined) return { to: canonicalContext(override.label), sharing };
  switch (role) {
    case "private":
      return { to: decision.imageLabel, sharing };
    case "folder":
      return { to: decision.folderLabel, sharing };
    case "shared":
      return { to: decision.sharedLabel, sharing };
    case "content":
      return { to: decision.contentLabel, sharing };
    case "host":
      return { to: undefined, sharing };
  }
}

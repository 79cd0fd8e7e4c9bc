import type { LabelOverride } from "../domain/resources/resource.ts";
import { canonicalContext } from "../selinux/context.ts";
import type { LabelDecision } from "./guest-label.ts";

/**
 * The role of a file for a guest.
 *
 * - `private`: used by this guest alone. libvirt gives it the image label.
 * - `folder`: a folder used by this guest alone, with its contents. libvirt does not label it.
 * - `shared`: written by several guests. libvirt gives it the policy's image context.
 * - `content`: only read by guests. libvirt gives it the policy's content context.
 * - `host`: part of an installed program, such as packaged firmware. libvirt does not label it.
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

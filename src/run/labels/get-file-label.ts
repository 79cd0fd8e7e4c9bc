import type { FileAttributes } from "../../host/file-attributes.ts";
import type { Host } from "../../host/host.ts";
import type { FileId } from "../../plan/facts/file.ts";

/** Attribute with the label of a file. XATTR_NAME_SELINUX of linux/xattr.h */
export const LABEL = "security.selinux";

/** Returns the label of an open file; undefined if it has none. */
export function labelOf(file: FileAttributes): string | undefined {
  return file.getXattr(LABEL);
}

/** Returns the label of a file; undefined if it has none. */
export function getFileLabel(host: Host, file: FileId): string | undefined {
  return host.withAttributes(file, labelOf);
}

import type { Host } from "../host/host.ts";
import { stagedPath } from "../plan/partial-names.ts";

/** Removes a text, and the part of it that a killed call may have left. */
export function removeText(host: Host, path: string): void {
  removePart(host, path);
  removeIfPresent(host, path);
}

/** Removes the part of a text that a killed call may have left. */
export function removePart(host: Host, path: string): void {
  removeIfPresent(host, stagedPath(path));
}

/**
 * Removes a file if it exists. Looks first: a read-only file system refuses even the removal of a missing
 * file. unlink(2)
 */
export function removeIfPresent(host: Host, path: string): void {
  if (host.inspectFile(path) !== undefined) host.removeFile(path);
}

import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import { refuseWrittenPlace, type WrittenPlace } from "../../label/guest-places.ts";
import { PENDING_FILE } from "../../plan/facts/file-key.ts";
import { getFileLabel } from "../../run/labels/get-file-label.ts";
import { refuseBusyDisk } from "../busy-disk.ts";
import { inspect } from "../inspect-file.ts";

// Rule: A guest writes only in the places for guests.

/**
 * Throws "denied" for an existing or planned file that no guest may write, "wrong-state" for a block device
 * in use.
 */
export function refuseWritten(host: Host, facts: FileFacts): void {
  if (facts.type === "block") refuseBusyDisk(host, facts.id);
  else if (facts.id.inode === PENDING_FILE.inode) placeOfMade(host, facts.id.path);
  else refuseWrittenPlace(placeOf(host, facts));
}

/** Returns an existing file as a place that a guest would write. */
export function placeOf(host: Host, facts: FileFacts): WrittenPlace {
  return {
    path: facts.id.path,
    kind: kindOf(facts),
    label: getFileLabel(host, facts.id),
    folderLabel: labelAt(host, folderAbove(facts.id.path)),
    listHomes: () => listHomes(host),
  };
}

/**
 * Throws "denied" for a folder closed to guests. A missing folder is judged by the nearest folder above it,
 * the source of its label.
 */
export function refuseWrittenFolder(host: Host, path: string, nearest: FileFacts): void {
  refuseFolderLabel(host, path, getFileLabel(host, nearest.id));
}

/** Throws "denied" for a folder in which guests may not write, if it has this label. */
export function refuseFolderLabel(host: Host, path: string, label: string | undefined): void {
  refuseWrittenPlace({
    path,
    kind: "folder",
    label,
    folderLabel: undefined,
    listHomes: () => listHomes(host),
  });
}

/**
 * Returns the path of a file that svirt will create for a guest, with its folder's symlinks resolved. Returns
 * the path unchanged if the folder is missing. Throws "denied".
 */
export function placeOfMade(host: Host, named: string, kind: "file" | "listener" = "file"): string {
  const above = folderAbove(named);
  const folder = inspect(host, above);
  const name = named.slice(named.lastIndexOf("/") + 1);
  const path = folder === undefined ? named : `${folder.id.path === "/" ? "" : folder.id.path}/${name}`;
  refuseWrittenPlace({
    path,
    kind,
    label: undefined,
    folderLabel: folder === undefined ? undefined : getFileLabel(host, folder.id),
    listHomes: () => listHomes(host),
  });
  return path;
}

/**
 * Lists home folders with unresolved symlinks: svirt's domain is not permitted to follow all of them.
 * name:password:UID:GID:comment:home:shell, passwd(5)
 */
function listHomes(host: Host): string[] {
  const lines = (host.readText("/etc/passwd") ?? "").split("\n");
  return lines.flatMap((line) => line.split(":")[5] ?? []);
}

function kindOf({ type }: FileFacts): WrittenPlace["kind"] {
  if (type === "folder" || type === "socket") return type;
  return type === "block" || type === "character" ? "device" : "file";
}

function labelAt(host: Host, path: string): string | undefined {
  const found = host.inspectFile(path);
  return found === undefined ? undefined : getFileLabel(host, found.id);
}

function folderAbove(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

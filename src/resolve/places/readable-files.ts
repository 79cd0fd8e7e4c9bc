import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import { isGuestPlace, MOVE_TO_GUESTS } from "../../label/guest-places.ts";
import { isInstalled } from "../../label/protected-paths.ts";
import { listFoldersAbove } from "../../plan/folder-of.ts";
import { inspectIfPermitted } from "../inspect-file.ts";
import type { ResolvedFile } from "../resolved-file.ts";
import { placeOf, refuseWritten } from "./writable-places.ts";

// Rule: A guest reads only files that every user of the host can read, and files in places for guests.

/** S_IROTH and S_IXOTH. inode(7) */
const [READABLE_BY_OTHERS, SEARCHABLE_BY_OTHERS] = [0o004, 0o001];

/**
 * Throws "denied" for a file that the guest, or another program on its behalf, would write or read and must
 * not. Throws "wrong-state" for a block device in use.
 */
export function refuseUnusablePlace(host: Host, { facts, override, role }: ResolvedFile): void {
  // A label from the XML may let the guest write a file that it gets for reading.
  const isWritten = role === "private" || role === "shared" || override?.relabel === "yes";
  if (isWritten) refuseWritten(host, facts);
  else refuseUnreadPlace(host, facts);
}

/**
 * Throws "denied" for a file to be read by svirt or a guest without permission by its mode or its place: a
 * domain may come from a key without a shell, and svirt opens as root. Permitted are files readable to every
 * user of the host, such as packaged firmware, and files in places for guests. Devices are not checked here,
 * as for writing.
 */
export function refuseUnreadPlace(host: Host, facts: FileFacts): void {
  if (facts.type !== "file" || isReadByAll(host, facts) || isGuestPlace(placeOf(host, facts))) return;
  throw new SvirtError(
    `Cannot let a guest read ${facts.id.path}: not every user may read it, and its folder is not a folder for guests' files`,
    { kind: "denied", remedy: isOfHost(facts.id.path) ? `Run: chmod o+r ${facts.id.path}` : MOVE_TO_GUESTS },
  );
}

/** Packaged firmware and the host's kernels stay where they are. */
function isOfHost(path: string): boolean {
  return isInstalled(path) || path.startsWith("/boot/");
}

/**
 * Returns whether every user of the host can read a file. In a session the file's own mode decides: the home
 * folder above it may be closed to others.
 */
function isReadByAll(host: Host, { id, mode }: FileFacts): boolean {
  if ((mode & READABLE_BY_OTHERS) === 0) return false;
  if (host.getUid() !== 0) return true;
  // A folder that svirt itself may not inspect is no folder of every user.
  return listFoldersAbove(id.path).every(
    (folder) => ((inspectIfPermitted(host, folder)?.mode ?? 0) & SEARCHABLE_BY_OTHERS) !== 0,
  );
}

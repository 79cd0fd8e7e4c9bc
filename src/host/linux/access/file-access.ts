import { statSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { GrantedAccess } from "../../file-attributes.ts";
import { withFile } from "../files/file-id.ts";
import { getxattrBytes, setxattr } from "../labels/xattr.ts";
import { type AclEntry, addUser, formatAcl, hasUser, parseAcl, withoutUser } from "./posix-acl.ts";

const ACL = "system.posix_acl_access";
const PERMISSIONS = { "read-only": 4, "read-write": 6 } as const;
const SEARCH = 1;

/** Implements Host.grantAccess. */
export function grantAccess(file: FileId, granted: GrantedAccess): void {
  withFile(file, (path) => grantOn(path, file.path, granted));
}

/**
 * Grants access to the file at a path below /proc/self/fd; on a folder also search permission. `shown` is the
 * path for messages. Throws "denied", "host-call".
 */
export function grantOn(path: string, shown: string, { access, uid }: GrantedAccess): void {
  const { isFolder, entries: before } = getEntries(path);
  const wanted = PERMISSIONS[access] | (isFolder ? SEARCH : 0);
  const entries = addUser(before, uid, wanted);
  if (entries === undefined) {
    throw new SvirtError(`Cannot let the guest open ${shown}: the mask of its ACL denies access`, {
      kind: "denied",
      remedy: `Run: setfacl -m m::rw${isFolder ? "x" : ""} ${shown}`,
    });
  }
  if (setxattr(path, ACL, formatAcl(entries))) return;
  throw new SvirtError(
    `Cannot let the guest open ${shown}: QEMU opens it by name, and its file system does not support ACLs`,
    { kind: "denied", remedy: "Move it to a file system with ACLs, such as ext4, XFS or tmpfs." },
  );
}

/** Implements Host.revokeAccess. */
export function revokeAccess(file: FileId, uid: number): void {
  withFile(file, (path) => revokeOn(path, uid));
}

/** Revokes access to the file at a path below /proc/self/fd. */
export function revokeOn(path: string, uid: number): void {
  const { entries } = getEntries(path);
  if (hasUser(entries, uid)) setxattr(path, ACL, formatAcl(withoutUser(entries, uid)));
}

function getEntries(path: string): { readonly entries: readonly AclEntry[]; readonly isFolder: boolean } {
  const stat = statSync(path);
  return { entries: parseAcl(getxattrBytes(path, ACL), stat.mode), isFolder: stat.isDirectory() };
}

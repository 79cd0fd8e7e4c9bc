import { statSync } from "node:fs";
import { SvirtError } from "../../errors.ts";
import type { GrantedAccess } from "../../host.ts";
import type { FileId } from "../../plan/guest-order.ts";
import { withFile } from "./file-id.ts";
import { type AclEntry, formatAcl, hasUser, parseAcl, withoutUser, withUser } from "./posix-acl.ts";
import { getxattrBytes, setxattr } from "./xattr.ts";

const ACL = "system.posix_acl_access";
const PERMISSIONS = { "read-only": 4, "read-write": 6 } as const;

/** Host.grantAccess */
export function grantAccess(file: FileId, { access, uid }: GrantedAccess): void {
  withFile(file, (path) => {
    const entries = withUser(getEntries(path), uid, PERMISSIONS[access]);
    if (entries === undefined) {
      throw new SvirtError(`Cannot let the guest open ${file.path}: the mask of its ACL forbids that`, {
        kind: "denied",
        remedy: `Run: setfacl -m m::rw ${file.path}`,
      });
    }
    if (setxattr(path, ACL, formatAcl(entries))) return;
    throw new SvirtError(
      `Cannot let the guest open ${file.path}: QEMU opens it by name, and its file system has no ACLs`,
      { kind: "denied", remedy: "Move it to a file system with ACLs, such as ext4, XFS or tmpfs." },
    );
  });
}

/** Host.revokeAccess */
export function revokeAccess(file: FileId, uid: number): void {
  withFile(file, (path) => {
    const entries = getEntries(path);
    if (hasUser(entries, uid)) setxattr(path, ACL, formatAcl(withoutUser(entries, uid)));
  });
}

function getEntries(path: string): readonly AclEntry[] {
  return parseAcl(getxattrBytes(path, ACL), statSync(path).mode);
}

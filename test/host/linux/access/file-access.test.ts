import { describe, expect, test } from "bun:test";
import { chmodSync, statSync } from "node:fs";
import { withFile } from "../../../../src/host/linux/files/file-id.ts";
import { getxattrBytes, setxattr } from "../../../../src/host/linux/labels/xattr.ts";
import { aclBytes, NAMED_LISTS } from "../../../real-host/acl-bytes.ts";
import { ASIDE, MISSING, OTHER_USER, OWN_USER, RealFolder } from "../../../real-host/folder.ts";

const [ONE, OTHER] = [OWN_USER, OTHER_USER];
const ACL = "system.posix_acl_access";

describe.skipIf(MISSING !== undefined)(`what one user is let do to a file${ASIDE}`, () => {
  // The mode is equal before and after, though meanwhile a mask replaces the group's permissions. acl(5)
  test.each([0o600, 0o640, 0o664, 0o000])("comes and goes, and the mode %o is as it was", (mode) => {
    using folder = new RealFolder();
    const path = folder.file("evdev", "x");
    chmodSync(path, mode);
    chmodSync(folder.path, 0o711);
    const file = folder.id(path);
    folder.host.grantAccess(file, { uid: ONE, access: "read-write" });
    folder.host.grantAccess(file, { uid: ONE, access: "read-write" });
    expect([mayWrite(path, ONE), mayWrite(path, OTHER)]).toEqual([true, false]);
    folder.host.revokeAccess(file, ONE);
    folder.host.revokeAccess(file, ONE);
    expect([mayWrite(path, ONE), statSync(path).mode & 0o7777]).toEqual([false, mode]);
    expect(folder.getXattr(file, "system.posix_acl_access")).toBeUndefined();
  });

  test("is no less for another who was let do so before", () => {
    using folder = new RealFolder();
    chmodSync(folder.path, 0o711);
    const path = folder.file("evdev", "x");
    chmodSync(path, 0o600);
    folder.host.grantAccess(folder.id(path), { uid: ONE, access: "read-write" });
    folder.host.grantAccess(folder.id(path), { uid: OTHER, access: "read-write" });
    folder.host.revokeAccess(folder.id(path), ONE);
    expect([mayWrite(path, ONE), mayWrite(path, OTHER)]).toEqual([false, true]);
  });

  test.each(NAMED_LISTS)("leaves %s byte for byte as it was", (_, entries) => {
    using folder = new RealFolder();
    const file = folder.id(folder.file("evdev", "x"));
    const before = aclBytes(entries);
    withFile(file, (path) => setxattr(path, ACL, before));
    for (const uid of [ONE, OTHER]) folder.host.grantAccess(file, { uid, access: "read-write" });
    for (const uid of [ONE, OTHER]) folder.host.revokeAccess(file, uid);
    expect(withFile(file, (path) => getxattrBytes(path, ACL))).toEqual(before);
  });

  test("is not made wider than the file's own mask, which holds for others too", () => {
    using folder = new RealFolder();
    const path = folder.file("evdev", "x");
    folder.host.grantAccess(folder.id(path), { uid: OTHER, access: "read-write" });
    // With an ACL, the group's part of the mode is the mask. acl(5)
    chmodSync(path, 0o640);
    expect(() => folder.host.grantAccess(folder.id(path), { uid: ONE, access: "read-write" })).toThrow(
      "the mask of its ACL denies access",
    );
  });
});

function mayWrite(path: string, uid: number): boolean {
  const user = ["setpriv", "--reuid", String(uid), "--regid", String(uid), "--clear-groups"];
  return Bun.spawnSync([...user, "sh", "-c", ': >>"$0" && : <"$0"', path], { stderr: "ignore" }).success;
}

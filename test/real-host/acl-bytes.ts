/**
 * Tags of ACL entries. linux/posix_acl.h ACL_USER_OBJ, ACL_USER and so on; linux/posix_acl_xattr.h
 * ACL_UNDEFINED_ID
 */
const TAGS: ReadonlyMap<string, number> = new Map([
  ["user:", 1],
  ["user", 2],
  ["group:", 4],
  ["group", 8],
  ["mask:", 16],
  ["other:", 32],
]);
const NO_ID = 0xffffffff;
const HEAD_BYTES = 4;
const ENTRY_BYTES = 8;

/** ACLs that an administrator may have set, each with a mask that lets a guest read and write. acl(5) */
export const NAMED_LISTS: readonly (readonly [string, readonly string[]])[] = [
  ["a list with a mask and nobody named", ["user::6", "group::4", "mask::6", "other::0"]],
  ["a list with a user", ["user::6", "user:1000:6", "group::4", "mask::6", "other::0"]],
  [
    "a list with two users and a group",
    ["user::6", "user:1000:6", "user:33:4", "group::0", "group:36:6", "mask::7", "other::4"],
  ],
];

/**
 * Returns `system.posix_acl_access` in the kernel's format, from entries as in setfacl(1) with octal digits.
 */
export function aclBytes(entries: readonly string[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEAD_BYTES + entries.length * ENTRY_BYTES));
  view.setUint32(0, 2, true);
  for (const [at, entry] of entries.entries()) {
    const [who = "", id = "", permissions] = entry.split(":");
    const offset = HEAD_BYTES + at * ENTRY_BYTES;
    view.setUint16(offset, TAGS.get(id === "" ? `${who}:` : who) ?? 0, true);
    view.setUint16(offset + 2, Number(permissions), true);
    view.setUint32(offset + 4, id === "" ? NO_ID : Number(id), true);
  }
  return new Uint8Array(view.buffer);
}

import { joined, record } from "../calls/byte-records.ts";

/** Tags of entries, in the order that the kernel requires. linux/posix_acl.h ACL_USER_OBJ and so on */
const TAGS = { owner: 1, user: 2, owningGroup: 4, group: 8, mask: 16, other: 32 } as const;
/** linux/posix_acl_xattr.h POSIX_ACL_XATTR_VERSION */
const VERSION = 2;
/** ID of an entry without a number. linux/posix_acl_xattr.h ACL_UNDEFINED_ID */
const NO_ID = 0xffffffff;
/**
 * User that marks an ACL which had a mask, but no named entry, before the first guest. Nothing else
 * distinguishes that mask from one added for a guest. The number is unused: those after the users of guests
 * (src/state/guest-uid.ts) are free.
 */
const MASK_STAYS = 0x74000000;
const HEAD_BYTES = 4;
const ENTRY_BYTES = 8;

/** Entry of an ACL. Permissions: read 4, write 2. acl(5) */
export interface AclEntry {
  readonly tag: number;
  readonly permissions: number;
  readonly id: number;
}

/** Parses the ACL of a file; without an ACL, derives the entries from the mode. acl(5) */
export function parseAcl(bytes: Uint8Array | undefined, mode: number): readonly AclEntry[] {
  if (bytes === undefined) return entriesOf(mode);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.floor((bytes.byteLength - HEAD_BYTES) / ENTRY_BYTES);
  return Array.from({ length: count }, (_, at) => {
    const offset = HEAD_BYTES + at * ENTRY_BYTES;
    return {
      tag: view.getUint16(offset, true),
      permissions: view.getUint16(offset + 2, true),
      id: view.getUint32(offset + 4, true),
    };
  });
}

/** Formats the bytes of `system.posix_acl_access`. */
export function formatAcl(entries: readonly AclEntry[]): Uint8Array {
  const sorted = entries.toSorted((a, b) => a.tag - b.tag);
  const records = sorted.map(({ id, permissions, tag }) => record([16, tag], [16, permissions], [32, id]));
  return joined([record([32, VERSION]), ...records]);
}

/**
 * Adds a user to the ACL. Returns undefined if the mask forbids these permissions: a wider mask would give
 * others more as well.
 */
export function addUser(
  entries: readonly AclEntry[],
  uid: number,
  permissions: number,
): readonly AclEntry[] | undefined {
  const mask = entries.find(isMask);
  if (mask !== undefined && (mask.permissions & permissions) !== permissions) return undefined;
  const group = entries.find(({ tag }) => tag === TAGS.owningGroup)?.permissions ?? 0;
  const staysAfter = mask !== undefined && !entries.some(isNamed);
  return [
    ...entries.filter((entry) => !isOf(entry, uid)),
    { tag: TAGS.user, permissions, id: uid },
    ...(staysAfter ? [{ tag: TAGS.user, permissions: 0, id: MASK_STAYS }] : []),
    ...(mask === undefined ? [{ tag: TAGS.mask, permissions: permissions | group, id: NO_ID }] : []),
  ];
}

/**
 * Removes a user from the ACL. After the last guest is removed, the ACL is as before the first guest, or
 * equals the mode if there was none.
 */
export function withoutUser(entries: readonly AclEntry[], uid: number): readonly AclEntry[] {
  const rest = entries.filter((entry) => !isOf(entry, uid));
  const own = rest.filter((entry) => !isOf(entry, MASK_STAYS));
  if (rest.length === entries.length) return entries;
  if (own.some(isNamed)) return rest;
  return own.length < rest.length ? own : own.filter((entry) => !isMask(entry));
}

/** Reports whether the ACL has an entry of the user. */
export function hasUser(entries: readonly AclEntry[], uid: number): boolean {
  return entries.some((entry) => isOf(entry, uid));
}

function isMask({ tag }: AclEntry): boolean {
  return tag === TAGS.mask;
}

/** Reports whether the entry is for a user or group other than the owner and his group. */
function isNamed({ tag }: AclEntry): boolean {
  return tag === TAGS.user || tag === TAGS.group;
}

function isOf({ id, tag }: AclEntry, uid: number): boolean {
  return tag === TAGS.user && id === uid;
}

function entriesOf(mode: number): readonly AclEntry[] {
  return [
    { tag: TAGS.owner, permissions: (mode >> 6) & 7, id: NO_ID },
    { tag: TAGS.owningGroup, permissions: (mode >> 3) & 7, id: NO_ID },
    { tag: TAGS.other, permissions: mode & 7, id: NO_ID },
  ];
}

import { joined, record } from "../calls/byte-records.ts";

/** Who an entry is for, in the order that the kernel wants. linux/posix_acl.h ACL_USER_OBJ and so on */
const TAGS = { owner: 1, user: 2, owningGroup: 4, group: 8, mask: 16, other: 32 } as const;
/** linux/posix_acl_xattr.h POSIX_ACL_XATTR_VERSION */
const VERSION = 2;
/** What stands where an entry has no number. linux/posix_acl_xattr.h ACL_UNDEFINED_ID */
const NO_ID = 0xffffffff;
/**
 * Marks a list that had a mask before any guest, though nobody whom it could hold for: nothing else tells that mask from
 * one that was made for a guest. The number is nobody's: those after the users that guests are given (src/state/choose-uid.ts)
 * are free.
 */
const MASK_STAYS = 0x74000000;
const HEAD_BYTES = 4;
const ENTRY_BYTES = 8;

/** Read 4, write 2. acl(5) */
export interface AclEntry {
  readonly tag: number;
  readonly permissions: number;
  readonly id: number;
}

/** The list of a file; without one, what its mode says. acl(5) */
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

/** The bytes of `system.posix_acl_access`. */
export function formatAcl(entries: readonly AclEntry[]): Uint8Array {
  const sorted = entries.toSorted((a, b) => a.tag - b.tag);
  const records = sorted.map(({ id, permissions, tag }) => record([16, tag], [16, permissions], [32, id]));
  return joined([record([32, VERSION]), ...records]);
}

/**
 * The list with one user more. Undefined where its mask forbids that user what he is to have: a wider mask would give
 * others more as well.
 */
export function withUser(
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
 * The list without that user, if he is in it: without the last guest it is what it was before the first, or the mode if
 * there was none.
 */
export function withoutUser(entries: readonly AclEntry[], uid: number): readonly AclEntry[] {
  const rest = entries.filter((entry) => !isOf(entry, uid));
  const own = rest.filter((entry) => !isOf(entry, MASK_STAYS));
  if (rest.length === entries.length) return entries;
  if (own.some(isNamed)) return rest;
  return own.length < rest.length ? own : own.filter((entry) => !isMask(entry));
}

/** Whether the list has that user. */
export function hasUser(entries: readonly AclEntry[], uid: number): boolean {
  return entries.some((entry) => isOf(entry, uid));
}

function isMask({ tag }: AclEntry): boolean {
  return tag === TAGS.mask;
}

/** Beside the owner and his group. */
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

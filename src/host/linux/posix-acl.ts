/** Who an entry is for, in the order that the kernel wants. linux/posix_acl.h ACL_USER_OBJ and so on */
const TAGS = { owner: 1, user: 2, owningGroup: 4, group: 8, mask: 16, other: 32 } as const;
/** linux/posix_acl_xattr.h POSIX_ACL_XATTR_VERSION */
const VERSION = 2;
/** What stands where an entry has no number. linux/posix_acl_xattr.h ACL_UNDEFINED_ID */
const NO_ID = 0xffffffff;
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
  const bytes = new Uint8Array(HEAD_BYTES + entries.length * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, VERSION, true);
  for (const [at, { id, permissions, tag }] of entries.toSorted((a, b) => a.tag - b.tag).entries()) {
    const offset = HEAD_BYTES + at * ENTRY_BYTES;
    view.setUint16(offset, tag, true);
    view.setUint16(offset + 2, permissions, true);
    view.setUint32(offset + 4, id, true);
  }
  return bytes;
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
  const mask = entries.find(({ tag }) => tag === TAGS.mask);
  if (mask !== undefined && (mask.permissions & permissions) !== permissions) return undefined;
  const group = entries.find(({ tag }) => tag === TAGS.owningGroup)?.permissions ?? 0;
  return [
    ...entries.filter((entry) => !isOf(entry, uid)),
    { tag: TAGS.user, permissions, id: uid },
    ...(mask === undefined ? [{ tag: TAGS.mask, permissions: permissions | group, id: NO_ID }] : []),
  ];
}

/** The list without that user; without any other beside the owner and his group it is the mode that it began as. */
export function withoutUser(entries: readonly AclEntry[], uid: number): readonly AclEntry[] {
  const rest = entries.filter((entry) => !isOf(entry, uid));
  const isNamed = rest.some(({ tag }) => tag === TAGS.user || tag === TAGS.group);
  return isNamed ? rest : rest.filter(({ tag }) => tag !== TAGS.mask);
}

/** Whether the list has that user. */
export function hasUser(entries: readonly AclEntry[], uid: number): boolean {
  return entries.some((entry) => isOf(entry, uid));
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

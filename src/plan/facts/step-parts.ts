import * as v from "valibot";
import { aNumber, aString, maybeString } from "./plain-schemas.ts";

/** Owner, group and permission bits of a file. st_uid, st_gid, st_mode of stat(2) */
export const ownership = v.strictObject({ uid: aNumber, gid: aNumber, mode: aNumber });
export type Ownership = v.InferOutput<typeof ownership>;

/** Something that only one guest may have, or several that agree. */
export const claim = v.strictObject({
  kind: v.picklist(["level", "static", "uid", "file", "tap", "port", "pci"]),
  key: aString,
  sharing: v.picklist(["exclusive", "shared"]),
  /** For a file: the label that its users agree on; absent where it keeps its own. */
  label: maybeString,
  /** For a file: the label to put back when its last user is gone. */
  original: maybeString,
  /** For a file whose owner its guests run as: what they could change of it, from before the first of them. */
  ownership: v.exactOptional(ownership),
});
export type Claim = v.InferOutput<typeof claim>;

/** How much a folder takes that is a file system of its own, in memory. tmpfs(5) */
export const folderLimit = v.strictObject({ bytes: aNumber, inodes: aNumber });
export type FolderLimit = v.InferOutput<typeof folderLimit>;

/** What QEMU is told over its monitor. */
export const monitorCommand = v.strictObject({
  execute: aString,
  arguments: v.exactOptional(v.record(aString, v.unknown())),
});
export type MonitorCommand = v.InferOutput<typeof monitorCommand>;

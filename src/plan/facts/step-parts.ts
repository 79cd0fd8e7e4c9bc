import * as v from "valibot";
import { aNumber, aString, maybeString } from "./plain-schemas.ts";

/** Owner, group and permission bits of a file. st_uid, st_gid, st_mode of stat(2) */
export const ownership = v.strictObject({ uid: aNumber, gid: aNumber, mode: aNumber });
export type Ownership = v.InferOutput<typeof ownership>;

/** Claim on a resource for a single guest, or for several in agreement. */
export const claim = v.strictObject({
  kind: v.picklist(["level", "static", "uid", "file", "tap", "port", "pci"]),
  key: aString,
  sharing: v.picklist(["exclusive", "shared"]),
  /** Label of a file that its users agree on; absent: the file keeps its own. */
  label: maybeString,
  /** Label of a file to restore after its last user. */
  original: maybeString,
  /** Owner and mode of a file before its first guest, if guests run as its owner and could change them. */
  ownership: v.exactOptional(ownership),
});
export type Claim = v.InferOutput<typeof claim>;

/** Size limit of a folder that is a separate file system in memory. tmpfs(5) */
export const folderLimit = v.strictObject({ bytes: aNumber, inodes: aNumber });
export type FolderLimit = v.InferOutput<typeof folderLimit>;

/** Command for QEMU's monitor. */
export const monitorCommand = v.strictObject({
  execute: aString,
  arguments: v.exactOptional(v.record(aString, v.unknown())),
});
export type MonitorCommand = v.InferOutput<typeof monitorCommand>;

import type { FileId } from "../plan/facts/file.ts";

/** Type of the file at a path. */
export type FileType = "file" | "block" | "character" | "folder" | "fifo" | "socket";

/** Access granted to a single user, regardless of the file's owner. */
export interface GrantedAccess {
  readonly uid: number;
  readonly access: "read-only" | "read-write";
}

/** Extended attributes of an open file, even if another file has replaced it at its path. */
export interface FileAttributes {
  /** Returns the names of the attributes. */
  listXattrs(): readonly string[];
  /** Returns undefined if there is no such attribute, or the file system does not support attributes. */
  getXattr(name: string): string | undefined;
  /**
   * Returns false if the file system does not support the attribute. Writes bytes as given: a label needs its
   * NUL.
   */
  setXattr(name: string, value: string): boolean;
  /** Does nothing if the attribute is missing. */
  removeXattr(name: string): void;
}

/** An entry of a folder, opened without following a symlink. Every operation acts on that entry. */
export interface TreeEntry extends FileAttributes {
  /** Contains the entry's path. */
  readonly id: FileId;
  readonly type: FileType | "symlink";
  readonly uid: number;
  readonly gid: number;
  /** Number of hard links. st_nlink */
  readonly links: number;
  setOwner(uid: number, gid: number): void;
  /** Like Host.grantAccess() and Host.revokeAccess(); also grants search permission on a folder. */
  grantAccess(granted: GrantedAccess): void;
  revokeAccess(uid: number): void;
}

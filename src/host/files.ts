import type { ImageBytes, ImageWrites } from "../images/image-writes.ts";
import type { StorageFacts } from "../label/seen-by-others.ts";
import type { FileId } from "../plan/facts/file.ts";
import type { FolderLimit, Ownership } from "../plan/facts/step-parts.ts";
import type { DataStream, DeviceWatch, FolderWatch } from "./channels.ts";
import type { FileAttributes, FileType, GrantedAccess, TreeEntry } from "./file-attributes.ts";
import type { DeviceData, DevicePart, FileContent, FilePart, NewFile } from "./new-file.ts";

/** Times of stat(2), in nanoseconds since 1970. */
export interface FileTimes {
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
  /** Last change of the data or the attributes. */
  readonly changedNs: bigint;
}

/** Facts of stat(2) about a file. */
export interface FileFacts {
  readonly id: FileId;
  readonly type: FileType;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly times: FileTimes;
  /** Space allocated on disk; less than the size for a sparse file. st_blocks */
  readonly allocatedBytes: number;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Limits for reading an input by line. */
export interface LineLimits {
  readonly mostBytes: number;
  /** In bytes; lines outside these bounds are skipped. */
  readonly shortest: number;
  readonly longest: number;
  /** Of a file larger than `mostBytes`, reads only the end. */
  readonly isEnd?: true;
  /** Called instead of reading the rest if there are more bytes. */
  onMore?(): void;
}

/** Space of a file system. */
export interface FileSystemSpace {
  readonly sizeBytes: number;
  /** Space open to root. */
  readonly freeBytes: number;
}

/** Method of removing the data of a file. */
export type WipeMethod = "zero" | "trim";

/** Entry of a folder, and a judgement of its first bytes. */
export interface Judged<Found> {
  readonly name: string;
  readonly found: Found;
}

/** An open file, with its facts at the time of opening. */
export interface OpenedFile extends FileAttributes {
  readonly facts: FileFacts;
}

/** Files of a list of paths, until they are disposed of. Both methods throw the error of the path. */
export interface OpenedFiles extends Disposable {
  /** Returns the identity of the file at a place of the list; undefined if it is missing. */
  idAt(place: number): FileId | undefined;
  /**
   * Runs `use` with the file at a place of the list; returns undefined if it is missing. Throws "denied" for
   * a file that has been replaced since.
   */
  withOpened<Result>(place: number, use: (file: OpenedFile) => Result): Result | undefined;
}

/** Files, folders, their attributes and locks. */
export interface FileHost {
  /** Returns the text of a file; undefined if it is missing. Follows symlinks. */
  readText(path: string): string | undefined;
  /**
   * Writes a file atomically; it is on disk on return. Steps: new file, fsync, rename, fsync of the folder.
   */
  writeText(path: string, text: string, mode: number): void;
  /**
   * First half of writeText(): writes the text to a temporary file in the same folder. placeText() moves it
   * into place.
   */
  stageText(path: string, text: string, mode: number): void;
  /**
   * Moves the staged text into place atomically. A power failure may restore the previous file. Throws
   * "host-call" if no text is staged.
   */
  placeText(path: string): void;
  /** Writes a file atomically for readers. After a power failure it may exist and be empty. */
  writeVolatile(path: string, text: string, mode: number): void;
  /** Does nothing if the file is missing. */
  removeFile(path: string): void;
  /**
   * Removes the inspected file from its folder. Does nothing if it is missing. Throws "denied" if the path
   * now leads to another file.
   */
  removeSame(file: FileId): void;
  /** Returns the names in a folder, sorted; none if the folder is missing. */
  listFolder(path: string): readonly string[];
  /**
   * Creates the folder if it is missing, and always sets its owner, mode and label. With a limit the folder
   * is a separate file system that takes no more memory than the limit. Throws "no-access" if mounting is not
   * permitted.
   */
  makeFolder(folder: {
    readonly path: string;
    readonly mode: number;
    readonly uid?: number;
    readonly label?: string;
    readonly limit?: FolderLimit;
  }): void;
  /**
   * Creates a folder with exactly this mode in the folder that was inspected. Returns its identity. Throws
   * "host-call" if the name exists, "denied" if the path leads to another folder.
   */
  makeFolderWithin(folder: FileId, made: { readonly path: string; readonly mode: number }): FileId;
  /**
   * Removes the folder that was inspected. Does nothing if it is missing. Throws "host-call" if it has
   * entries or a mount, "denied" if the path leads to another folder.
   */
  removeEmptyFolder(folder: FileId): void;
  /**
   * Returns the space of the file system that has the folder. Throws if the path leads to another folder.
   * statvfs(3)
   */
  getSpace(folder: FileId): FileSystemSpace;
  /**
   * Sets owner and label of a folder and its direct entries, and the mode of the folder. Follows no symlink,
   * because the previous owner may have put any file there.
   */
  assignFolder(
    path: string,
    to: { readonly uid: number; readonly label?: string; readonly mode?: number },
  ): void;
  /**
   * Removes a folder with its content and never follows a symlink. Does nothing if it is missing. With
   * `isMounted` it also unmounts the file system on the folder; throws "wrong-state" for any other mount on
   * it or in it.
   */
  removeFolder(path: string, isMounted?: boolean): void;
  makeSymlink(path: string, target: string): void;
  /**
   * Creates the symlink in the folder that was inspected. Throws "host-call" if the name exists, "denied" if
   * the path leads to another folder.
   */
  makeLinkWithin(
    folder: FileId,
    link: { readonly path: string; readonly target: string; readonly label?: string },
  ): void;
  /** Removes the symlink if it has that target; other files stay. Does nothing if it is missing. */
  removeLink(path: string, target: string): void;
  /**
   * Creates a file atomically with these bytes, padded with zeros to its size, or empty. Throws if the name
   * exists. Returns the identity of the file.
   */
  makeFile(path: string, mode: number, content?: FileContent): FileId;
  /**
   * Creates a file in the inspected folder. It has its content, owner, mode and label before its name exists.
   * An interrupted call leaves nothing or, where a file must have a name, a remainder for the next such call
   * in the folder to remove. Throws "host-call" if the name exists and is not to be replaced, "denied" if the
   * path leads to another folder or the file system keeps no labels, "in-use" if the copied file changes
   * meanwhile.
   */
  makeFileWithin(folder: FileId, file: NewFile): Promise<FileId>;
  /**
   * Lists the names of files in the folder that interrupted calls of makeFileWithin() have left. A call that
   * has made such a name, and not locked it yet, may be among them for an instant. Throws "host-call",
   * "denied" if the path leads to another folder.
   */
  listLeftParts(folder: FileId): readonly string[];
  /** Removes those files. Throws as listLeftParts(). */
  removeLeftParts(folder: FileId): void;
  /**
   * Sets the size of a file. Space for `reservedBytes` of its beginning is reserved first. Throws
   * "host-call", "denied" if the path now leads to another file.
   */
  resizeFile(file: FileId, sizeBytes: number, reservedBytes: number): Promise<void>;
  /**
   * Overwrites a part of a file with the operator's input, opened as by readInput(), while no other program
   * may write to the image. If it is interrupted, a beginning of the part is written. Throws "in-use" for an
   * image opened by a guest, "usage" for an input longer than the part, "not-found", "host-call", "denied" if
   * the path now leads to another file.
   */
  fillFile(file: FileId, from: string, part: FilePart): Promise<void>;
  /**
   * Opens a part of a file for reading, with its holes if the part is sparse. Throws "host-call", "denied" if
   * the path now leads to another file.
   */
  openSource(file: FileId, part: FilePart): DataStream;
  /**
   * Opens a part of a file for writing, as fillFile() does; no other program may write to the image until it
   * is closed. Holes are made where the file system has them. Data beyond the part is an error. Throws as
   * fillFile().
   */
  openSink(file: FileId, part: FilePart): Promise<DataStream>;
  /**
   * Locks images or devices like a QEMU with write access, and returns the function to unlock them. The locks
   * end with the process. Throws "in-use" if a program has locked one of them, "denied" if a path now leads
   * to another file.
   */
  lockImages(files: readonly FileId[]): Promise<() => void>;
  /**
   * Makes all bytes of a file zero; its size stays. "zero" keeps the disk space of its data, "trim" frees all
   * space. Throws "unsupported" if the file system cannot free it, and as fillFile().
   */
  wipeFile(file: FileId, how: WipeMethod): Promise<void>;
  /**
   * Gives a block device, or a part of a disk, the data of a file, a device or a converted image; the rest
   * becomes zeros. No other program may write to the device meanwhile, nor take the whole disk for a guest.
   * Throws "in-use" for a device in use, or if the source changes meanwhile; as fillFile(), and the errors of
   * the conversion.
   */
  copyToDevice(device: FileId, data: DeviceData, part?: DevicePart): Promise<void>;
  /**
   * Changes the tables of an image while no other program may write to it. Each group of writes is on disk
   * before the next. Throws the errors of `plan`; "in-use" for an image opened by a guest, "host-call",
   * "denied" if the path now leads to another file.
   */
  rewriteImage(file: FileId, plan: (image: ImageBytes) => ImageWrites): Promise<void>;
  /** Writes into a file that svirt has created. Throws "host-call" if the path now leads to another file. */
  writeBytes(file: FileId, offset: number, bytes: Uint8Array): void;
  /** Replaces an existing file. The content is on disk before the rename, and the name before the return. */
  renameFile(from: string, to: string): void;
  /** Opens the caller's editor on a file and waits until it ends. Throws "usage", "failed". */
  editFile(path: string): Promise<void>;
  /**
   * Reads the operator's input from a regular file, or from standard input for `-`. Returns at most
   * `mostBytes` and another byte.
   */
  readInput(path: string, mostBytes: number): Uint8Array;
  /** Reads the operator's input line by line and keeps no line in memory. */
  readLines(path: string, limits: LineLimits): Iterable<string>;
  /** Resolves symlinks and returns the facts of the file; undefined if it is missing. */
  inspectFile(path: string): FileFacts | undefined;
  /** Like inspectFile(), and runs `use` with the attributes of the same descriptor. */
  withInspected<Result>(path: string, use: (file: OpenedFile) => Result): Result | undefined;
  /** Like withInspected(), for many files at a time. Each takes a descriptor. */
  openEach(paths: readonly string[]): OpenedFiles;
  /**
   * Returns whether owner, mode and ACL allow svirt's user to open the file for reading and writing.
   * access(2)
   */
  mayOpen(file: FileId): boolean;
  /** Reads at most `length` bytes. Throws "host-call" if the path now leads to another file. */
  readBytes(file: FileId, offset: number, length: number): Uint8Array;
  /**
   * Calls `judge` with the first bytes of each file of the inspected folder, and lists its results by the
   * names of the entries. Entries of other types are skipped, symbolic links too. The bytes last until the
   * next call; they are undefined for an entry without an immediate read, or of unknown type. Throws
   * "host-call", "denied" if the path leads to another folder.
   */
  judgeBeginnings<Found>(
    folder: FileId,
    length: number,
    judge: (bytes: Uint8Array | undefined) => Found | undefined,
  ): readonly Judged<Found>[];
  /** Opens the file once and runs `use` with its attributes. Throws if the path now leads to another file. */
  withAttributes<Result>(file: FileId, use: (attributes: FileAttributes) => Result): Result;
  /**
   * Adds an ACL entry. The owner's and the group's entries stay. Throws "denied" if the file system has no
   * ACLs or the mask forbids the access. acl(5)
   */
  grantAccess(file: FileId, granted: GrantedAccess): void;
  /** Sets owner, group and mode where they differ. Throws if the path now leads to another file. */
  setOwnership(file: FileId, ownership: Ownership): void;
  /** Does nothing if the ACL has no entry of the user. Throws if the path now leads to another file. */
  revokeAccess(file: FileId, uid: number): void;
  /** Returns the storage of the file that was inspected. Throws if the path now leads to another file. */
  getStorage(file: FileId): StorageFacts;
  /**
   * Visits a folder and all entries below it, a folder before its entries. The result of `visit` for a folder
   * is passed to the visits of its entries. Follows no symlink and enters no other file system. Throws, at
   * the end, for folders nested too deep.
   */
  visitTree<Told>(folder: FileId, above: Told, visit: (entry: TreeEntry, above: Told) => Told): void;
  /**
   * Waits for the lock, acquires it and returns the function that releases it. The lock ends with the
   * process. Throws "timeout". flock(2)
   */
  lock(path: string, timeoutMs: number): Promise<() => void>;
  /** Returns whether a process holds the lock now. */
  isLocked(path: string): boolean;
  /**
   * Watches folders; a missing folder is skipped. Throws "host-call" if the kernel permits no more watches,
   * "no-access". inotify(7)
   */
  watchFolders(folders: readonly string[]): FolderWatch;
  /** Watches the devices of the host. Throws "host-call"; "unsupported" in a user namespace. netlink(7) */
  watchDevices(): DeviceWatch;
}

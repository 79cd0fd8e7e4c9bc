import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { partialVolume } from "../../../plan/partial-names.ts";
import type { ImageConversion, NewFile } from "../../new-file.ts";
import { letOthersRun } from "../calls/let-others-run.ts";
import { cString, hostCallError, libc, readErrno } from "../calls/libc.ts";
import { nativeName } from "../calls/native-name.ts";
import { fileFacts, whileOpen } from "../files/file-id.ts";
import { orReject, syncFolder, unlessMissing } from "../files/files.ts";
import { getxattr, setLabelOf, setxattr } from "../labels/xattr.ts";
import { copyInto } from "./copy-into.ts";
import { setNocow } from "./nocow.ts";
import { LOCK_EX, removePartsIn, tryLock } from "./partial-volumes.ts";
import { setSize } from "./resize-file.ts";
import { isOrdered, syncData, syncFile } from "./sync-data.ts";
import { writePart } from "./write-part.ts";

const PART = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** asm-generic/fcntl.h __O_TMPFILE, missing in node:fs */
const UNNAMED = constants.O_RDWR | constants.O_DIRECTORY | 0o20000000;
/** linux/fcntl.h, linux/fs.h */
const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
const RENAME_NOREPLACE = 1;

/**
 * Implements Host.makeFileWithin. The file has no name while it is made: an interrupted call leaves nothing.
 * Where this is impossible, as on NFS and for a replacement of another file, it has a name used by svirt
 * only.
 */
export async function makeFileWithin(folder: FileId, file: NewFile): Promise<FileId> {
  const path = `${folder.path === "/" ? "" : folder.path}/${file.name}`;
  return await whileOpen(
    folder,
    async (at) =>
      await orReject(`make ${path}`, async () => {
        const fd = file.isReplaced === true ? undefined : openUnnamed(at);
        return fd === undefined ? await makeNamed(at, path, file) : await makeUnnamed({ fd, at }, path, file);
      }),
  );
}

/** Opens a new file without a name; undefined if the file system has none. open(2) O_TMPFILE */
function openUnnamed(at: string): number | undefined {
  try {
    return openSync(at, UNNAMED, 0o600);
  } catch {
    return undefined;
  }
}

/** New file, and the path of its opened folder. */
interface Opened {
  readonly fd: number;
  readonly at: string;
}

async function makeUnnamed({ at, fd }: Opened, path: string, file: NewFile): Promise<FileId> {
  try {
    await fill(fd, path, file);
    // Replaces no file. The descriptor's own name needs no privilege, unlike AT_EMPTY_PATH.
    const [from, to] = [cString(`/proc/self/fd/${fd}`), cString(`${at}/${file.name}`)];
    if (libc().linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) !== 0)
      throw hostCallError(`make ${path}`, readErrno());
    return await syncNamed({ fd, at }, path);
  } finally {
    closeSync(fd);
  }
}

/** Makes a file under another name. The lock of flock(2) shows that it is still being made. */
async function makeNamed(at: string, path: string, file: NewFile): Promise<FileId> {
  removePartsIn(at);
  const part = `${at}/${partialVolume(crypto.randomUUID())}`;
  const fd = openSync(part, PART, 0o600);
  try {
    if (!tryLock(fd, LOCK_EX)) throw hostCallError(`lock ${path}`, readErrno());
    await fill(fd, path, file);
    place(part, `${at}/${file.name}`, file.isReplaced);
    return await syncNamed({ fd, at }, path);
  } finally {
    unlessMissing(`remove ${part}`, () => unlinkSync(part));
    closeSync(fd);
  }
}

/**
 * Puts the attributes and the name of a file on disk, whose data is there. Only on some file systems fsync(2)
 * of the file includes its new name.
 */
async function syncNamed({ at, fd }: Opened, path: string): Promise<FileId> {
  await syncFile(fd);
  if (!isOrdered(fd)) syncFolder(at);
  return fileFacts(path, fstatSync(fd, { bigint: true })).id;
}

/** Gives a part its name: replaces a file of that name only on request. */
function place(part: string, name: string, isReplaced: true | undefined): void {
  if (isReplaced === true) renameSync(part, nativeName(name));
  else if (!link(part, name)) renameNew(part, name);
}

/** Links a part. Returns false if the file system has no hard links, as FAT. link(2) */
function link(part: string, name: string): boolean {
  try {
    linkSync(part, nativeName(name));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EPERM") return false;
    throw error;
  }
}

/** renameat2(2). NFS has hard links, but not this. */
function renameNew(part: string, name: string): void {
  if (libc().renameat2(AT_FDCWD, cString(part), AT_FDCWD, cString(name), RENAME_NOREPLACE) === 0) return;
  const errno = readErrno();
  throw hostCallError(`rename ${part} to ${name}`, errno);
}

async function fill(
  fd: number,
  path: string,
  { content, conversion, copy, gid, isNocow, label, mark, mode, reservedBytes, uid }: NewFile,
): Promise<void> {
  // While it is empty: later the flag would have no effect on its data. ioctl_iflags(2)
  if (isNocow === true) setNocow(fd, path);
  await setSize(fd, path, { sizeBytes: content.sizeBytes, reservedBytes });
  // Writes all bytes: on a full disk write(2) writes a part.
  if (copy === undefined) writeFileSync(fd, content.bytes);
  else await copyInto(fd, path, copy);
  if (conversion !== undefined) await fillConverted(fd, conversion);
  for (const part of content.parts ?? []) {
    writePart(fd, part);
    await letOthersRun();
  }
  setOwner(fd, { uid, gid });
  // After the owner, since chown(2) may clear mode bits.
  fchmodSync(fd, mode);
  if (label !== undefined) setLabel(fd, path, label);
  setMark(fd, mark);
  await syncData(fd);
}

/** Loads the conversion with its decompression when it is needed: most files are made without it. */
async function fillConverted(fd: number, conversion: ImageConversion): Promise<void> {
  const { convertInto }: typeof import("./convert-into.ts") = require("./convert-into.ts");
  await convertInto((part) => writePart(fd, part), conversion);
}

function setOwner(fd: number, { gid, uid }: Pick<NewFile, "gid" | "uid">): void {
  const made = fstatSync(fd);
  const [toUid, toGid] = [uid ?? made.uid, gid ?? made.gid];
  if (toUid !== made.uid || toGid !== made.gid) fchownSync(fd, toUid, toGid);
}

/** Sets an attribute that only root sets, where the file system keeps it. */
function setMark(fd: number, mark: NewFile["mark"]): void {
  if (mark === undefined || process.getuid?.() !== 0) return;
  setxattr(`/proc/self/fd/${fd}`, mark.name, new TextEncoder().encode(mark.value));
}

function setLabel(fd: number, path: string, label: string): void {
  if (getxattr(`/proc/self/fd/${fd}`, "security.selinux") === label || setLabelOf(fd, label)) return;
  throw new SvirtError(`Cannot label ${path} ${label}: its file system stores no labels`, {
    kind: "denied",
    remedy: "Leave <label> out, or choose a folder on a file system with labels.",
  });
}

import { type BigIntStats, closeSync, constants, fstatSync, openSync, readdirSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { FileFacts, FileType } from "../../host.ts";
import { nativeName } from "../calls/native-name.ts";

/** node:fs does not know it, and `undefined | flags` would silently be another mode. asm-generic/fcntl.h O_PATH */
export const O_PATH = 0o10000000;

/** stat(2): st_blocks counts in these, whatever the file system has. */
const BLOCK_BYTES = 512;

/** What fstat(2) says, under the path that led there. */
export function fileFacts(path: string, stat: BigIntStats): FileFacts {
  const type = fileType(stat);
  const isNode = type === "block" || type === "character";
  return {
    id: {
      path,
      device: deviceNumber(stat.dev),
      inode: String(stat.ino),
      ...(isNode ? { node: deviceNumber(stat.rdev) } : {}),
    },
    type,
    sizeBytes: Number(stat.size),
    modifiedMs: Number(stat.mtimeMs),
    allocatedBytes: Number(stat.blocks) * BLOCK_BYTES,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mode: Number(stat.mode) & 0o7777,
  };
}

/** Opens the path without following a symlink in its last place. The caller closes. Throws "host-call". */
export function openAt(path: string | Buffer, flags: number): number {
  return openSync(typeof path === "string" ? nativeName(path) : path, flags | constants.O_NOFOLLOW);
}

/**
 * Runs `use` with `/proc/self/fd/N` of the very file that was inspected. Throws "denied" when another one stands at its path
 * by now.
 */
export function withFile<Result>(file: FileId, use: (descriptorPath: string) => Result): Result {
  const fd = openPath(file.path);
  try {
    refuseOther(file, fstatSync(fd, { bigint: true }));
    return use(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens the file that was inspected, once it is seen to be the one: to open another in its place may do something already, as
 * a FIFO waits and a watchdog begins to count. Throws "denied" when another one stands there by now.
 */
export function openSame(file: FileId, flags: number): number {
  return withFile(file, (descriptorPath) => openSync(descriptorPath, flags));
}

/** Opens a path to look at it, nothing more. */
export function openPath(path: string | Buffer): number {
  return openAt(path, O_PATH);
}

/** Something in a folder: its name as it is shown, and a path that leads there, which may be any bytes. */
interface Child {
  readonly name: string;
  readonly at: Buffer;
}

/** All that is in a folder that is open. */
export function listChildren(folder: number): readonly Child[] {
  const above = `/proc/self/fd/${folder}`;
  return readdirSync(above, { encoding: "buffer" }).map((name) => ({
    name: name.toString(),
    at: Buffer.concat([Buffer.from(`${above}/`), name]),
  }));
}

function refuseOther(file: FileId, stat: BigIntStats): void {
  const now = fileFacts(file.path, stat).id;
  const isSame = now.device === file.device && now.inode === file.inode && now.node === file.node;
  // A symlink that was made right after the file was removed may have been given its inode's number.
  if (isSame && !stat.isSymbolicLink()) return;
  throw new SvirtError(
    `Cannot open ${file.path}: another file stands there than the one that was inspected`,
    {
      kind: "denied",
      remedy: "Find out who replaces files there, then try again.",
    },
  );
}

function fileType(stat: BigIntStats): FileType {
  if (stat.isFile()) return "file";
  if (stat.isBlockDevice()) return "block";
  if (stat.isCharacterDevice()) return "character";
  if (stat.isDirectory()) return "folder";
  return stat.isFIFO() ? "fifo" : "socket";
}

/** gnu_dev_major and gnu_dev_minor of sys/sysmacros.h. */
export function deviceNumber(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

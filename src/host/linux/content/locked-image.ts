import { closeSync, constants } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { openSame } from "../files/file-id.ts";
import { orReject } from "../files/files.ts";
import { lockImage } from "./image-lock.ts";
import { syncFile } from "./sync-data.ts";

/**
 * Runs `use` with an image closed to writes by other programs, and then writes it to disk. A block device is
 * opened for this call alone: the kernel refuses a device mounted, swapped to or part of another. Throws
 * "in-use". O_EXCL, open(2)
 */
export async function withLockedImage(file: FileId, use: (fd: number) => Promise<void>): Promise<void> {
  await withLocked(file, { open: openAlone, use });
}

/**
 * Opens an image as withLockedImage() does. The caller closes the descriptor, and has the data written to
 * disk. Throws "in-use".
 */
export async function openLockedImage(file: FileId): Promise<number> {
  return await orReject(`write to ${file.path}`, async () => {
    const fd = openAlone(file);
    try {
      await lockOpened(fd, { as: "writer", path: file.path, verb: "write to" });
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  });
}

/**
 * Runs `use` with a disk that no guest may take as a whole meanwhile, and then writes it to disk. Its
 * partitions may be in use: the caller writes to none of them. Throws "in-use".
 */
export async function withLockedDisk(disk: FileId, use: (fd: number) => Promise<void>): Promise<void> {
  await withLocked(disk, { open: (file) => openSame(file, constants.O_RDWR), use });
}

async function withLocked(
  file: FileId,
  { open, use }: { open(file: FileId): number; use(fd: number): Promise<void> },
): Promise<void> {
  await orReject(`write to ${file.path}`, async () => {
    const fd = open(file);
    try {
      await lockOpened(fd, { as: "writer", path: file.path, verb: "write to" });
      await use(fd);
      await syncFile(fd);
    } finally {
      closeSync(fd);
    }
  });
}

function openAlone(file: FileId): number {
  if (file.node === undefined) return openSame(file, constants.O_RDWR);
  try {
    return openSame(file, constants.O_RDWR | constants.O_EXCL);
  } catch (error) {
    if (!isErrno(error, "EBUSY")) throw error;
    throw new SvirtError(`Cannot write to ${file.path}: the host uses it`, {
      kind: "in-use",
      remedy: "Stop using the device on the host, or name another device.",
      cause: error,
    });
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Locks an open image as a guest does. Throws "in-use". */
export async function lockOpened(
  fd: number,
  { as, path, verb }: { readonly as: "reader" | "writer"; readonly path: string; readonly verb: string },
): Promise<void> {
  try {
    await lockImage(fd, path, { as, isFirst: true });
  } catch (error) {
    if (!(error instanceof SvirtError)) throw error;
    const { kind, remedy } = error;
    throw new SvirtError(`Cannot ${verb} ${path}: another program has locked it`, {
      kind,
      remedy,
      cause: error,
    });
  }
}

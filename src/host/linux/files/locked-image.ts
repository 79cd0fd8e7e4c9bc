import { closeSync, constants, fsyncSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { openSame } from "./file-id.ts";
import { orThrow } from "./files.ts";
import { lockImage } from "./image-lock.ts";

/** Runs `use` with an image that no other program may write to meanwhile, and then writes it to disk. Throws "in-use". */
export function withLockedImage(file: FileId, use: (fd: number) => void): void {
  orThrow(`write to ${file.path}`, () => {
    const fd = openSame(file, constants.O_RDWR);
    try {
      lockAlone(fd, file.path);
      use(fd);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  });
}

/** Locks the image as a guest does. Throws "in-use". */
function lockAlone(fd: number, path: string): void {
  try {
    lockImage(fd, path, { as: "writer", isFirst: true });
  } catch (error) {
    if (!(error instanceof SvirtError)) throw error;
    const { kind, remedy } = error;
    throw new SvirtError(`Cannot write to ${path}: another program has locked it`, {
      kind,
      remedy,
      cause: error,
    });
  }
}

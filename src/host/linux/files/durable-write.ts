import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { stagedPath } from "../../../plan/partial-names.ts";
import { NEW_FILE, orThrow, removeFile, syncFolder, unlessMissing } from "./files.ts";

// Rule: A file is replaced as a whole, and is on disk before the call returns.

/** Implements Host.writeText: rename(2) makes it atomic, fsync(2) of file and folder makes it durable. */
export function writeText(path: string, text: string, mode: number): void {
  replaceFile(path, { text, mode, sync: fsyncSync });
  orThrow(`write ${path}`, () => syncFolder(dirname(path)));
}

/** Implements Host.stageText. */
function stageText(path: string, text: string, mode: number): void {
  orThrow(`write ${path}`, () => writeFresh(path, { text, mode, sync: fsyncSync }));
}

/** Implements Host.placeText. */
function placeText(path: string): void {
  orThrow(`write ${path}`, () => renameSync(stagedPath(path), path));
}

/** Implements Host.writeVolatile without fsync(2), which takes as long as all other parts of a write. */
function writeVolatile(path: string, text: string, mode: number): void {
  replaceFile(path, { text, mode, sync: () => undefined });
}

interface Fresh {
  readonly text: string;
  readonly mode: number;
  sync(fd: number): void;
}

function replaceFile(path: string, content: Fresh): void {
  orThrow(`write ${path}`, () => {
    writeFresh(path, content);
    renameSync(stagedPath(path), path);
  });
}

function writeFresh(path: string, { mode, sync, text }: Fresh): void {
  const fresh = stagedPath(path);
  unlessMissing(`remove ${fresh}`, () => unlinkSync(fresh));
  const fd = openSync(fresh, NEW_FILE, mode);
  try {
    // Writes all bytes: on a full disk write(2) writes a part, which writeSync does not treat as an error.
    writeFileSync(fd, text);
    sync(fd);
  } catch (error) {
    // A partial file takes up space on a full disk.
    unlinkSync(fresh);
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Methods of Host for writing and removing whole texts. */
export const textCalls = { writeText, stageText, placeText, writeVolatile, removeFile };

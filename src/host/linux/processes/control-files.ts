import { closeSync, constants, openSync, rmdirSync, writeSync } from "node:fs";
import { listFolder, orThrow, unlessMissing } from "../files/files.ts";

/** Implements Host.writeControl with a single write, which the kernel accepts or refuses. */
export function writeControl(path: string, value: string): void {
  orThrow(`write ${value} to ${path}`, () => {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      writeSync(fd, value);
    } finally {
      closeSync(fd);
    }
  });
}

/** Implements Host.removeControlGroup: removes the groups below first; the kernel removes its files. rmdir(2) */
export function removeControlGroup(path: string): void {
  for (const name of listFolder(path)) {
    // rmdir(2) removes only folders; its error for a file counts as missing.
    if (!name.includes(".")) removeEmpty(`${path}/${name}`);
  }
  removeEmpty(path);
}

function removeEmpty(path: string): void {
  unlessMissing(`remove the control group ${path}`, () => rmdirSync(path));
}

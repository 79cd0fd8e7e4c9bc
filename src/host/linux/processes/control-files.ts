import { closeSync, constants, openSync, rmdirSync, writeSync } from "node:fs";
import { listFolder, orThrow, unlessMissing } from "../files/files.ts";

/** Host.writeControl: by one write, which the kernel takes or refuses. */
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

/** Host.removeControlGroup: those below it first; the kernel's files in it go by themselves. rmdir(2) */
export function removeControlGroup(path: string): void {
  for (const name of listFolder(path)) {
    // Only folders can be removed so: of a file the kernel says that it is none.
    if (!name.includes(".")) removeEmpty(`${path}/${name}`);
  }
  removeEmpty(path);
}

function removeEmpty(path: string): void {
  unlessMissing(`remove the control group ${path}`, () => rmdirSync(path));
}

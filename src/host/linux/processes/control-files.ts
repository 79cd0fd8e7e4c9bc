import { rmdirSync } from "node:fs";
import { listFolder, unlessMissing } from "../files/files.ts";

/**
 * Implements Host.removeControlGroup: removes the groups below first; the kernel removes its files. rmdir(2)
 */
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

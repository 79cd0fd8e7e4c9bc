import { closeSync, constants, openSync, writeSync } from "node:fs";
import { orThrow } from "./files.ts";

/** Implements Host.writeControl with a single write, accepted or refused by the kernel. */
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

import { closeSync, constants, fstatSync, mkdirSync } from "node:fs";
import type { FileId } from "../../../plan/facts/file.ts";
import { nativeName } from "../calls/native-name.ts";
import { fileFacts, O_PATH, openAt, withFile } from "./file-id.ts";
import { orThrow } from "./files.ts";
import { withoutUmask } from "./without-umask.ts";

/**
 * Implements Host.makeFolderWithin. Replacing the folder above has no effect: the new folder is made in the
 * opened folder.
 */
export function makeFolderWithin(
  folder: FileId,
  { mode, path }: { readonly path: string; readonly mode: number },
): FileId {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return withFile(folder, (opened) =>
    orThrow(`create folder ${path}`, () => {
      const at = nativeName(`${opened}/${name}`);
      // A mode that is set afterwards would be missing if svirt is killed in between.
      withoutUmask(() => mkdirSync(at, mode));
      const fd = openAt(at, O_PATH | constants.O_DIRECTORY);
      try {
        return fileFacts(path, fstatSync(fd, { bigint: true })).id;
      } finally {
        closeSync(fd);
      }
    }),
  );
}

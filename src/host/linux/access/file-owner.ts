import { chmodSync, chownSync, statSync } from "node:fs";
import type { FileId } from "../../../plan/facts/file.ts";
import type { Ownership } from "../../../plan/facts/step-parts.ts";
import { withFile } from "../files/file-id.ts";
import { orThrow } from "../files/files.ts";

const MODE_BITS = 0o7777;

/**
 * Implements Host.setOwnership by a descriptor without read access. Sets the owner first, since chown(2) may
 * clear mode bits.
 */
export function setOwnership(file: FileId, { gid, mode, uid }: Ownership): void {
  withFile(file, (path) =>
    orThrow(`restore owner and mode of ${file.path}`, () => {
      const is = statSync(path);
      if (is.uid !== uid || is.gid !== gid) chownSync(path, uid, gid);
      if ((statSync(path).mode & MODE_BITS) !== mode) chmodSync(path, mode);
    }),
  );
}

import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { openPath } from "../files/file-id.ts";
import { mayAccess } from "../labels/access-vector.ts";
import { getOwnContext } from "../labels/selinux.ts";
import { getxattr } from "../labels/xattr.ts";

/**
 * Opens a regular file or a block device for reading, to query the kernel about it. Returns undefined for
 * other files, since opening a FIFO or a device may have an effect. Returns undefined if the policy does not
 * let svirt read and lock the file; it checks this first, so that no denial is logged. The caller closes the
 * descriptor. Throws errors of node:fs.
 */
export function openImage(path: string): number | undefined {
  const at = openPath(path);
  try {
    const stat = fstatSync(at, { bigint: true });
    if (!stat.isFile() && !stat.isBlockDevice()) return undefined;
    const found = `/proc/self/fd/${at}`;
    if (!mayAsk(found, stat.isFile() ? "file" : "block")) return undefined;
    return openSync(found, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } finally {
    closeSync(at);
  }
}

function mayAsk(found: string, type: "file" | "block"): boolean {
  const [context, label] = [getOwnContext(), getxattr(found, "security.selinux")];
  if (context === undefined || label === undefined) return true;
  return mayAccess({ context, label, type, permissions: ["lock", "read"] });
}

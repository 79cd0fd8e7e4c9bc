import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { openPath } from "../files/file-id.ts";
import { mayAccess } from "../labels/access-vector.ts";
import { getOwnContext } from "../labels/selinux.ts";
import { getxattr } from "../labels/xattr.ts";

type ImageType = "file" | "block";

/** Whether the policy lets svirt read and lock a file with this label; undefined: it has none. */
export type MayAsk = (label: string | undefined, type: ImageType) => boolean;

/**
 * Returns the policy's answers, each read once: a set of files has few labels, and an answer takes six files
 * of selinuxfs. For a call that lasts no longer than a look at each of its files.
 */
export function rememberAnswers(): MayAsk {
  const context = getOwnContext();
  const answers = new Map<string, boolean>();
  return (label, type) => {
    if (context === undefined || label === undefined) return true;
    const question = `${type} ${label}`;
    const answer =
      answers.get(question) ?? mayAccess({ context, label, type, permissions: ["lock", "read"] });
    answers.set(question, answer);
    return answer;
  };
}

/**
 * Opens a regular file or a block device for reading, to query the kernel about it. Returns undefined for
 * other files, since opening a FIFO or a device may have an effect. Returns undefined if the policy does not
 * let svirt read and lock the file; it checks this first, so that no denial is logged. The caller closes the
 * descriptor. Throws errors of node:fs.
 */
export function openImage(path: string, mayAsk: MayAsk): number | undefined {
  const at = openPath(path);
  try {
    const stat = fstatSync(at, { bigint: true });
    if (!stat.isFile() && !stat.isBlockDevice()) return undefined;
    const found = `/proc/self/fd/${at}`;
    const label = getxattr(found, "security.selinux");
    if (!mayAsk(label, stat.isFile() ? "file" : "block")) return undefined;
    return openSync(found, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } finally {
    closeSync(at);
  }
}

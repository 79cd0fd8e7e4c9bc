import { closeSync, constants, fchmodSync, fchownSync, fstatSync, lchownSync } from "node:fs";
import { setLabelOf } from "../labels/xattr.ts";
import { listChildren, openAt, openPath } from "./file-id.ts";
import { orThrow } from "./files.ts";

interface NewOwner {
  readonly uid: number;
  readonly label?: string;
  readonly mode?: number;
}

/**
 * Implements Host.assignFolder by descriptors. Changes the folder's owner first, so that the previous owner
 * can add no more files. chown(2) clears the setuid bit of the entries.
 */
export function assignFolder(path: string, to: NewOwner): void {
  orThrow(`change the owner of ${path} to user ${to.uid}`, () => {
    const folder = openAt(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      fchownSync(folder, to.uid, to.uid);
      for (const { at } of listChildren(folder)) assignEntry(at, to);
      if (to.mode !== undefined) fchmodSync(folder, to.mode);
      putLabel(folder, to.label);
    } finally {
      closeSync(folder);
    }
  });
}

/** Changes owner and label of an entry. Skips a file with several links, which may belong to another user. */
function assignEntry(path: Buffer, { label, uid }: NewOwner): void {
  const fd = openPath(path);
  try {
    const stat = fstatSync(fd);
    if (stat.isFile() && stat.nlink > 1) return;
    lchownSync(path, uid, uid);
    if (!stat.isSymbolicLink()) putLabel(fd, label);
  } finally {
    closeSync(fd);
  }
}

function putLabel(fd: number, label: string | undefined): void {
  if (label === undefined) return;
  setLabelOf(fd, label);
}

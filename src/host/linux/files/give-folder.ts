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
 * Host.giveFolder: by descriptors. chown(2) takes the setuid bit off what is in it. The folder changes hands first, so that who had it can put nothing there any more.
 */
export function giveFolder(path: string, to: NewOwner): void {
  orThrow(`give ${path} to user ${to.uid}`, () => {
    const folder = openAt(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      fchownSync(folder, to.uid, to.uid);
      for (const { at } of listChildren(folder)) giveEntry(at, to);
      if (to.mode !== undefined) fchmodSync(folder, to.mode);
      putLabel(folder, to.label);
    } finally {
      closeSync(folder);
    }
  });
}

/** A file with a second name may be somebody else's, whom it was taken from: it stays as it is. */
function giveEntry(path: Buffer, { label, uid }: NewOwner): void {
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

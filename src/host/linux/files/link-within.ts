import { readlinkSync, symlinkSync, unlinkSync } from "node:fs";
import type { FileId } from "../../../plan/facts/file.ts";
import { setFileContext } from "../labels/selinux.ts";
import { withFile } from "./file-id.ts";
import { orThrow, unlessMissing } from "./files.ts";

/** Implements Host.makeLinkWithin. */
export function makeLinkWithin(
  folder: FileId,
  { label, path, target }: { readonly path: string; readonly target: string; readonly label?: string },
): void {
  const name = path.slice(path.lastIndexOf("/") + 1);
  withFile(folder, (opened) => {
    if (label !== undefined) setFileContext(label);
    try {
      orThrow(`create symlink ${path}`, () => symlinkSync(target, `${opened}/${name}`));
    } finally {
      if (label !== undefined) setFileContext("");
    }
  });
}

/** Implements Host.removeLink. */
export function removeLink(path: string, target: string): void {
  if (leadsTo(path) === target) unlessMissing(`remove ${path}`, () => unlinkSync(path));
}

/** Returns the target of a symlink; undefined for other files. readlink(2) */
function leadsTo(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import { isGuestPlace } from "../../label/guest-places.ts";
import { listFoldersAbove } from "../../plan/folder-of.ts";
import { inspectIfPermitted } from "../inspect-file.ts";
import { placeOf } from "./writable-places.ts";

/** Any execution bit; S_IWGRP and S_IWOTH. inode(7) */
const [EXECUTABLE, WRITABLE_BY_OTHERS] = [0o111, 0o022];

/**
 * Returns the path of a program, with its symlinks resolved, that a caller names and svirt may run. It and
 * each folder above it belong to root, or in a session to the user, and no other user may write them. It is
 * in no place for guests, where a key without a shell may put files. Throws "denied"; "not-found" if it is
 * missing or no program.
 */
export function resolveProgram(host: Host, named: string): string {
  const facts = host.inspectFile(named);
  if (facts?.type !== "file" || (facts.mode & EXECUTABLE) === 0) {
    throw new SvirtError(`Cannot run ${named}: it is not an executable program`, {
      kind: "not-found",
      remedy: "Install qemu-system-x86, or name another emulator.",
    });
  }
  const { path } = facts.id;
  const above = listFoldersAbove(path).map((folder) => [folder, inspectIfPermitted(host, folder)] as const);
  for (const [at, found] of [[path, facts] as const, ...above]) refuseOthers(host, path, { at, found });
  return path;
}

/** Refuses a program because of its own file or a folder above it. */
function refuseOthers(
  host: Host,
  path: string,
  { at, found }: { readonly at: string; readonly found: FileFacts | undefined },
): void {
  if (found === undefined || ![0, host.getUid()].includes(found.uid))
    throw refused(path, `${at} does not belong to root`);
  if ((found.mode & WRITABLE_BY_OTHERS) !== 0)
    throw refused(path, `other users than its owner may write ${at}`);
  if (isGuestPlace(placeOf(host, found))) throw refused(path, `${at} is for guests' files`);
}

function refused(path: string, why: string): SvirtError {
  return new SvirtError(`Cannot run ${path}: ${why}, so it is not a program of the host`, {
    kind: "denied",
    remedy: "Name an installed emulator, or install this one below /usr/local.",
  });
}

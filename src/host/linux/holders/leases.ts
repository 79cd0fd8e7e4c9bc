import { closeSync, fstatSync } from "node:fs";
import { fileKey } from "../../../plan/facts/file-key.ts";
import { isProvenByLease } from "../../../plan/facts/lease-file-systems.ts";
import type { HeldThing } from "../../processes.ts";
import { fcntl } from "../calls/fcntl.ts";
import { fileFacts } from "../files/file-id.ts";
import { fileSystemMagic } from "../files/file-system-magic.ts";
import { type MayAsk, openImage, rememberAnswers } from "./open-image.ts";

/** linux/fcntl.h, asm-generic/fcntl.h */
const F_SETSIG = 10n;
const F_SETLEASE = 1024n;
const F_RDLCK = 0n;
const F_WRLCK = 1n;
const F_UNLCK = 2n;
/** Ignored by default, unlike SIGIO, which would end svirt. signal(7) */
const SIGURG = 23n;

/**
 * Implements Host.listOpened by leases, which are released immediately. The kernel grants a write lease only
 * if no other process has the file open. It grants a read lease only if no process can write to it. It counts
 * descriptors, mappings, descriptors in transit and blocked system calls. Used only where this is a proof.
 * fcntl(2), fs/locks.c check_conflicting_open()
 */
export function listOpened<Thing extends HeldThing>(things: readonly Thing[]): readonly Thing[] {
  const mayAsk = rememberAnswers();
  return things.filter((thing) => !isFree(thing, mayAsk));
}

function isFree({ forbidden, key, path }: HeldThing, mayAsk: MayAsk): boolean {
  if (path === undefined || !key.startsWith("inode-")) return false;
  try {
    const fd = openImage(path, mayAsk);
    if (fd === undefined) return false;
    try {
      const stat = fstatSync(fd, { bigint: true });
      // A lease on another user's file requires CAP_LEASE.
      if (!stat.isFile() || Number(stat.uid) !== process.geteuid?.()) return false;
      if (fileKey(fileFacts(path, stat).id) !== key) return false;
      return isProvenByLease(fileSystemMagic(`/proc/self/fd/${fd}`)) && hasLease(fd, forbidden === "writing");
    } finally {
      closeSync(fd);
    }
  } catch {
    // A file closed to svirt is checked by other means.
    return false;
  }
}

function hasLease(fd: number, isForReading: boolean): boolean {
  if (!fcntl(fd, F_SETSIG, SIGURG) || !fcntl(fd, F_SETLEASE, isForReading ? F_RDLCK : F_WRLCK)) return false;
  return fcntl(fd, F_SETLEASE, F_UNLCK);
}

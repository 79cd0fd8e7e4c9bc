import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { SvirtError } from "../../../errors.ts";
import { EWOULDBLOCK } from "../calls/errno.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { sleep } from "../calls/wait-ready.ts";
import { unlessMissing } from "./files.ts";
import { withoutUmask } from "./without-umask.ts";

/** sys/file.h */
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
const FOLDER_MODE = 0o711;
const FIRST_POLL_MS = 2;
/** With many waiters, more frequent attempts only take the processor from the holder. */
const LONGEST_POLL_MS = 64;

/** Implements Host.lock. */
export async function lock(path: string, timeoutMs: number): Promise<() => void> {
  const fd = await waitForLock(path, timeoutMs);
  return () => closeSync(fd);
}

/**
 * Waits for a lock by repeated attempts, so a timeout is possible, and returns its descriptor. Pauses grow
 * and vary at random: each of several waiters gets its turn. Throws "timeout".
 */
export async function waitForLock(path: string, timeoutMs: number): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_POLL_MS)) {
    const fd = tryLock(path);
    if (fd !== undefined) return fd;
    if (performance.now() > deadline) {
      throw new SvirtError(`Cannot lock ${path}: another svirt has held the lock for ${timeoutMs / 1000} s`, {
        kind: "timeout",
        remedy: `Wait, or find the holder: grep "$(stat -c %i ${path})" /proc/locks`,
      });
    }
    await sleep(pauseMs * (0.5 + Math.random()));
  }
}

/** Implements Host.isLocked. */
export function isLocked(path: string): boolean {
  const fd = tryLock(path);
  if (fd === undefined) return true;
  closeSync(fd);
  return false;
}

/** Returns the descriptor that holds the lock; undefined if another process holds it. flock(2) */
function tryLock(path: string): number | undefined {
  const fd = openLock(path);
  if (libc().flock(fd, LOCK_EX | LOCK_NB) === 0) return fd;
  const errno = readErrno();
  closeSync(fd);
  if (errno === EWOULDBLOCK) return undefined;
  throw hostCallError(`lock ${path}`, errno);
}

/**
 * Opens the lock file; creates it and its folders if missing. The first lock after a boot creates the folder
 * of all guests, which each guest's user must be able to pass, whatever the caller's umask.
 */
function openLock(path: string): number {
  const found = unlessMissing(`open ${path}`, () => openSync(path, LOCK_FILE, 0o600));
  if (found !== undefined) return found;
  withoutUmask(() => mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE }));
  return openSync(path, LOCK_FILE, 0o600);
}

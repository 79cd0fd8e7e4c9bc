import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, renameSync } from "node:fs";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { poll } from "../calls/terminal.ts";
import { POLLIN, sleep } from "../calls/wait-ready.ts";
import { openAt } from "../files/file-id.ts";
import { orThrow, unlessMissing } from "../files/files.ts";
import { readText } from "../files/quick-files.ts";
import { readStat } from "./process-stat.ts";

// Rule: The log of a guest has a beginning of 1 MiB and an end of 16 MiB.

/** asm-generic/fcntl.h */
const O_CLOEXEC = 0o2000000;
/** Limits on the size of the beginning of a log and of its later part. */
const BEGINNING_BYTES = 1024 * 1024;
const LATE_BYTES = 16 * 1024 * 1024;
/** The unit of ulimit -f: sh(1) */
const BLOCK_BYTES = 512;
/**
 * Longest wait for a log, for instance of a guest that never stops printing, and the interval between checks.
 */
const WAIT_MS = 3000;
const POLL_MS = 10;

/**
 * Script of a log's keeper: a POSIX shell writing the output of a guest's processes to the log. The guest has
 * a pipe to it and not the file, in which it could punch holes: a policy cannot distinguish fallocate(2) from
 * an append.
 *
 *   $1 the log   $2 limit on its size   $3 limit on its later part, both in blocks of 512 bytes
 *
 * SIGXFSZ ends a cat(1) beyond its limit: RLIMIT_FSIZE. Later output goes to a second file, restarted each
 * time it is full. So the beginning and the end of a log are kept, regardless of the output in between. A
 * pause before each restart leaves the processor to others during a flood. If no file can be written, the
 * keeper reads and drops the output: a full disk must not block QEMU.
 */
const KEEPER_SCRIPT = `
log=$1 most=$2 later=$3
umask 077
ulimit -c 0
keep() (ulimit -f "$2" && exec cat >>"$1")
keep "$log" "$most" && exit
while :; do
  rm -f "$log.late"
  keep "$log.late" "$later" && exit
  if [ "$?" -gt 128 ]; then
    sleep 0.1
  else
    [ -e "$log.late" ] || [ "$(head -c 65536 | wc -c)" -gt 0 ] || exit
    sleep 1
  fi
done
`;

/** Process IDs of the keepers that this svirt has started, keyed by the path of the log. */
const keepers = new Map<string, number>();

/** Returns a descriptor whose output is appended to the log. The caller closes it. Throws "host-call". */
export function openLog(path: string): number {
  makeRoom(path);
  const ends = new Int32Array(2);
  if (libc().pipe2(ends, O_CLOEXEC) !== 0) throw hostCallError("create a pipe", readErrno());
  const [out = -1, into = -1] = ends;
  try {
    const limits = [BEGINNING_BYTES, LATE_BYTES].map((bytes) => String(bytes / BLOCK_BYTES));
    const keeper = Bun.spawn(["/bin/sh", "-c", KEEPER_SCRIPT, "svirt-log", path, ...limits], {
      cwd: "/",
      env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
      // A separate session, to outlive svirt. setsid(2)
      detached: true,
      stdio: [out, "ignore", "ignore"],
    });
    keeper.unref();
    keepers.set(path, keeper.pid);
    return into;
  } catch (error) {
    closeSync(into);
    throw error;
  } finally {
    closeSync(out);
  }
}

/** Creates the log if it is missing; renames a long log. */
function makeRoom(path: string): void {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  const fd = orThrow(`open ${path}`, () => openSync(path, flags, 0o600));
  try {
    if (fstatSync(fd).size > BEGINNING_BYTES / 2)
      orThrow(`rename ${path}`, () => renameSync(path, `${path}.1`));
  } finally {
    closeSync(fd);
  }
}

/** Implements Host.readLogEnd. */
export async function readLogEnd(path: string, mostBytes: number): Promise<string | undefined> {
  await waitUntilKept(path);
  const late = lateName(path);
  const newest = changedMs(late) > changedMs(path) ? late : path;
  return unlessMissing(`read ${path}`, () => {
    const fd = openAt(newest, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { size } = fstatSync(fd);
      const bytes = new Uint8Array(Math.min(size, mostBytes));
      const count = readSync(fd, bytes, 0, bytes.length, size - bytes.length);
      return new TextDecoder().decode(bytes.subarray(0, count));
    } finally {
      closeSync(fd);
    }
  });
}

/** Waits, for a limited time, until the log has all output so far. */
async function waitUntilKept(path: string): Promise<void> {
  const keeper = keepers.get(path);
  if (keeper === undefined) return;
  const deadline = performance.now() + WAIT_MS;
  while (performance.now() < deadline && !hasKeptAll(keeper)) await sleep(POLL_MS);
}

function lateName(path: string): string {
  return `${path}.late`;
}

/** Returns the time of modification; 0 for a missing file. */
function changedMs(path: string): number {
  return unlessMissing(`inspect ${path}`, () => lstatSync(path).mtimeMs) ?? 0;
}

/**
 * Reports whether all output has been written: the keeper has ended, or its cat(1) waits at an empty pipe.
 */
function hasKeptAll(keeper: number): boolean {
  const stat = readStat(keeper);
  if (stat === undefined || stat.isZombie) return true;
  if (isWaiting(keeper)) return false;
  // Read after the pipe: if cat(1) sleeps now, it has written everything that it read before the pipe was
  // empty.
  const [child] = (readText(`/proc/${keeper}/task/${keeper}/children`) ?? "").split(" ");
  const reader = readStat(Number(child));
  return reader?.command === "cat" && reader.fields[0] === "S";
}

/** Reports whether the pipe has unread output. */
function isWaiting(keeper: number): boolean {
  try {
    const fd = openSync(`/proc/${keeper}/fd/0`, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return ((poll([{ fd, events: POLLIN }], 0)[0] ?? 0) & POLLIN) !== 0;
    } finally {
      closeSync(fd);
    }
  } catch {
    // The keeper has ended, as it does when all writers have closed the pipe.
    return false;
  }
}

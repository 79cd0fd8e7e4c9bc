import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, renameSync } from "node:fs";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { POLLIN, sleep } from "../calls/ready.ts";
import { poll } from "../calls/terminal.ts";
import { openAt } from "../files/file-id.ts";
import { orThrow, unlessMissing } from "../files/files.ts";

/** asm-generic/fcntl.h */
const O_CLOEXEC = 0o2000000;
/** How long a log may get from its beginning on, and how long what follows. */
const BEGINNING_BYTES = 1024 * 1024;
const LATE_BYTES = 16 * 1024 * 1024;
/** The unit of ulimit -f: sh(1) */
const BLOCK_BYTES = 512;
/** How long a log is waited for, and how often it is looked at. */
const SETTLE_MS = 500;
const POLL_MS = 10;

/**
 * The keeper of a log: a POSIX shell that reads what a guest's processes say and writes it down. The guest has a pipe to it
 * and not the file, in which it could punch holes: a policy cannot tell fallocate(2) from an append.
 *
 *   $1 the log   $2 how long it may get   $3 how long what follows may get, both in blocks of 512 bytes
 *
 * SIGXFSZ ends the cat(1) that exceeds its limit: RLIMIT_FSIZE. What comes after goes to a second file, which begins anew
 * each time that it is full, so that the beginning of a log and its end are kept, however much is said between. Each time
 * takes a pause, so that a flood leaves others the processor. Where nothing can be written it is read and dropped: a full
 * disk must not stop a QEMU that has something to say.
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

/** The keepers of logs that this svirt has begun, by the path. */
const keepers = new Map<string, number>();

/** What a guest's processes say to this descriptor goes to the end of the log. The caller closes it. Throws "host-call". */
export function openLog(path: string): number {
  makeRoom(path);
  const ends = new Int32Array(2);
  if (libc().pipe2(ends, O_CLOEXEC) !== 0) throw hostCallError("make a pipe", readErrno());
  const [out = -1, into = -1] = ends;
  try {
    const limits = [BEGINNING_BYTES, LATE_BYTES].map((bytes) => String(bytes / BLOCK_BYTES));
    const keeper = Bun.spawn(["/bin/sh", "-c", KEEPER_SCRIPT, "svirt-log", path, ...limits], {
      cwd: "/",
      env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
      // A session of its own: it outlives svirt. setsid(2)
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

/** The log is there; one that is long already is put aside. */
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

/** Host.readLogEnd */
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

/** Until the keeper has read all that was said so far, and the log grows no more; but not for long. */
async function waitUntilKept(path: string): Promise<void> {
  const keeper = keepers.get(path);
  if (keeper === undefined) return;
  const deadline = performance.now() + SETTLE_MS;
  for (let before = -1; performance.now() < deadline; ) {
    const now = changedMs(path) + changedMs(lateName(path));
    if (now === before && !isWaiting(keeper)) return;
    before = now;
    await sleep(POLL_MS);
  }
}

function lateName(path: string): string {
  return `${path}.late`;
}

/** 0 for one that is not there. */
function changedMs(path: string): number {
  return unlessMissing(`look at ${path}`, () => lstatSync(path).mtimeMs) ?? 0;
}

/** Whether there is something in the pipe that the keeper has not read. */
function isWaiting(keeper: number): boolean {
  try {
    const fd = openSync(`/proc/${keeper}/fd/0`, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return ((poll([{ fd, events: POLLIN }], 0)[0] ?? 0) & POLLIN) !== 0;
    } finally {
      closeSync(fd);
    }
  } catch {
    // It has ended, as it does when nobody is left to say anything.
    return false;
  }
}

import { closeSync, constants, readSync, writeSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { GuestPipe, Pace, PipeOptions } from "../../channels.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { POLLIN, POLLOUT, wakeWaiters, whenReady } from "../calls/wait-ready.ts";
import { openSame } from "../files/file-id.ts";
import { orThrow } from "../files/files.ts";
import { setLabelOf } from "../labels/xattr.ts";
import { readSome, writeSome } from "./socket-bytes.ts";

const O_CLOEXEC = 0o2000000;
const CHUNK_BYTES = 1024 * 1024;
/** asm/unistd_64.h, asm-generic/fcntl.h, linux/fcntl.h */
const [SYS_fcntl, F_SETFL, F_SETPIPE_SZ] = [72n, 4n, 1031n];

/**
 * Creates a pipe with the guest's label, since a pipe otherwise has its creator's. The caller passes QEMU's
 * end on. pipe(2)
 */
export function makeGuestPipe({ direction, label }: PipeOptions): {
  readonly guestEnd: number;
  readonly pipe: GuestPipe;
} {
  const ends = new Int32Array(2);
  if (libc().pipe2(ends, O_CLOEXEC) !== 0) throw hostCallError("create a pipe", readErrno());
  const [out = -1, into = -1] = ends;
  const [ours, guestEnd] = direction === "from-guest" ? [out, into] : [into, out];
  const pipe = new OpenPipe(ours);
  // A larger pipe avoids a wait at every page. A smaller one works too.
  libc().syscall(SYS_fcntl, BigInt(ours), F_SETPIPE_SZ, BigInt(CHUNK_BYTES), 0n);
  // Only svirt's end: an idle pipe must not keep svirt from talking to QEMU. QEMU's end may block.
  libc().syscall(SYS_fcntl, BigInt(ours), F_SETFL, BigInt(constants.O_NONBLOCK), 0n);
  try {
    if (label !== undefined) setLabelOf(ours, label);
    return { guestEnd, pipe };
  } catch (error) {
    closeSync(guestEnd);
    pipe.close();
    throw error;
  }
}

class OpenPipe implements GuestPipe {
  readonly #fd: number;
  #isOpen = true;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async readInto(file: FileId, offset: number, pace: Pace): Promise<number> {
    return await this.#withFile(file, constants.O_WRONLY, async (fd, bytes) => {
      const clock = new PaceClock(pace);
      for (let total = 0; ; ) {
        const count = readSome(this.#fd, bytes);
        if (count === "ended") return total;
        if (count === "later") {
          await this.#ready(POLLIN, clock, file);
          continue;
        }
        orThrow(`write ${file.path}`, () => writeAll(fd, bytes.subarray(0, count), offset + total));
        total += count;
        clock.note(count);
      }
    });
  }

  async sendFrom(file: FileId, offset: number, pace: Pace): Promise<void> {
    await this.#withFile(file, constants.O_RDONLY, async (fd, bytes) => {
      const clock = new PaceClock(pace);
      for (let at = offset; ; ) {
        const count = orThrow(`read ${file.path}`, () => readSync(fd, bytes, 0, bytes.length, at));
        if (count === 0) return;
        await this.#send(bytes.subarray(0, count), clock, file);
        at += count;
      }
    });
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    wakeWaiters(this.#fd);
    closeSync(this.#fd);
  }

  async #send(bytes: Uint8Array, clock: PaceClock, file: FileId): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { count, errno } = writeSome(this.#fd, bytes.subarray(at));
      if (errno !== undefined) throw hostCallError(`send ${file.path} to QEMU`, errno);
      at += count;
      clock.note(count);
      if (count === 0) await this.#ready(POLLOUT, clock, file);
    }
  }

  async #ready(events: number, clock: PaceClock, file: FileId): Promise<void> {
    const isReady = await whenReady(this.#fd, events, clock.deadlineMs);
    const why = isReady
      ? "svirt aborted the transfer"
      : `QEMU transfers less than 1 MiB in ${clock.idleMs / 1000} s`;
    if (this.#isOpen && isReady) return;
    throw new SvirtError(`Cannot transfer the guest's state (${file.path}): ${why}`, {
      kind: "timeout",
      remedy: "Run svirt audit: QEMU may hang or be compromised.",
    });
  }

  async #withFile<Result>(
    file: FileId,
    flags: number,
    use: (fd: number, bytes: Uint8Array) => Promise<Result>,
  ): Promise<Result> {
    try {
      const fd = orThrow(`open ${file.path}`, () => openSame(file, flags));
      try {
        return await use(fd, new Uint8Array(CHUNK_BYTES));
      } finally {
        closeSync(fd);
      }
    } finally {
      // Shows the other side the end of the data, or the end of the readers.
      this.close();
    }
  }
}

/** Requires at least a MiB from deadline to deadline: an occasional byte is not progress. */
class PaceClock {
  readonly idleMs: number;
  readonly #onMoved: () => void;
  deadlineMs: number;
  #bytes = 0;

  constructor({ idleMs, onMoved }: Pace) {
    this.idleMs = idleMs;
    this.#onMoved = onMoved;
    this.deadlineMs = performance.now() + idleMs;
  }

  note(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < CHUNK_BYTES) return;
    this.#bytes = 0;
    this.deadlineMs = performance.now() + this.idleMs;
    this.#onMoved();
  }
}

function writeAll(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
  }
}

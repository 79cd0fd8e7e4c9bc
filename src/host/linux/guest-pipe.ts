import { closeSync, constants, read, write } from "node:fs";
import { promisify } from "node:util";
import type { GuestPipe, PipeWish } from "../../host/channels.ts";
import type { FileId } from "../../plan/guest-order.ts";
import { openSame } from "./file-id.ts";
import { failedCall, orThrow } from "./files.ts";
import { hostCallError, libc, readErrno } from "./libc.ts";
import { setLabelOf } from "./xattr.ts";

const O_CLOEXEC = 0o2000000;
const CHUNK_BYTES = 1024 * 1024;
/** asm/unistd_64.h, linux/fcntl.h */
const [SYS_fcntl, F_SETPIPE_SZ] = [72n, 1031n];

// On a thread of their own: a pipe that nobody fills must not keep svirt from talking to QEMU.
const [readSome, writeSome] = [promisify(read), promisify(write)];

/** A pipe with the guest's label on it, since a pipe is otherwise its maker's. The caller hands on QEMU's end. pipe(2) */
export function makeGuestPipe({ direction, label }: PipeWish): {
  readonly guestEnd: number;
  readonly pipe: GuestPipe;
} {
  const ends = new Int32Array(2);
  if (libc().pipe2(ends, O_CLOEXEC) !== 0) throw hostCallError("make a pipe", readErrno());
  const [out = -1, into = -1] = ends;
  const [ours, guestEnd] = direction === "from-guest" ? [out, into] : [into, out];
  const pipe = new OpenPipe(ours);
  // So that neither side waits for the other at every page. Where the kernel gives less, less it is.
  libc().syscall(SYS_fcntl, BigInt(ours), F_SETPIPE_SZ, BigInt(CHUNK_BYTES), 0n);
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

  async readInto(file: FileId, offset: number): Promise<number> {
    return await this.#withFile(file, constants.O_WRONLY, (fd) =>
      copy({ from: this.#fd }, { to: fd, offset }, `write ${file.path}`),
    );
  }

  async sendFrom(file: FileId, offset: number): Promise<void> {
    await this.#withFile(file, constants.O_RDONLY, (fd) =>
      copy({ from: fd, offset }, { to: this.#fd }, `read ${file.path}`),
    );
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
  }

  async #withFile<Result>(
    file: FileId,
    flags: number,
    use: (fd: number) => Promise<Result>,
  ): Promise<Result> {
    try {
      const fd = orThrow(`open ${file.path}`, () => openSame(file, flags));
      try {
        return await use(fd);
      } finally {
        closeSync(fd);
      }
    } finally {
      // The other side is told that there is no more, or that nobody listens.
      this.close();
    }
  }
}

/** To the end of what comes; a side without a place of its own, as a pipe, is read or written where it stands. */
async function copy(
  source: { readonly from: number; readonly offset?: number },
  sink: { readonly to: number; readonly offset?: number },
  attempt: string,
): Promise<number> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  let total = 0;
  try {
    for (;;) {
      const at = source.offset === undefined ? null : source.offset + total;
      const { bytesRead } = await readSome(source.from, buffer, 0, buffer.length, at);
      if (bytesRead === 0) return total;
      await writeAll(sink, buffer.subarray(0, bytesRead), total);
      total += bytesRead;
    }
  } catch (error) {
    throw failedCall(attempt, error);
  }
}

async function writeAll(
  { offset, to }: { readonly to: number; readonly offset?: number },
  bytes: Uint8Array,
  before: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = offset === undefined ? null : offset + before + done;
    const { bytesWritten } = await writeSome(to, bytes, done, bytes.length - done, at);
    done += bytesWritten;
  }
}

import { dlopen, FFIType } from "bun:ffi";
import type { FolderWatch } from "../../channels.ts";
import { ENOENT } from "../calls/errno.ts";
import { basicCalls, cString, hostCallError, readErrno } from "../calls/libc.ts";
import { SignalledDescriptor } from "../calls/signalled-descriptor.ts";

const { i32, ptr, u32 } = FFIType;

/** Opened separately, because each symbol costs time. */
const CALLS = {
  inotify_add_watch: { args: [i32, ptr, u32], returns: i32 },
  inotify_init1: { args: [i32], returns: i32 },
} as const;

/** asm-generic/fcntl.h */
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
/**
 * linux/inotify.h: a file was closed after writing, was renamed or removed, or the folder itself was;
 * ONLYDIR, for folders alone.
 */
const CHANGES = 0x8 | 0x40 | 0x80 | 0x200 | 0x400 | 0x800 | 0x0100_0000;
/** Room for many events of 16 bytes and a name. */
const CHUNK_BYTES = 65_536;

/**
 * Implements Host.watchFolders. The kernel reports changes by SIGIO, so that neither a thread nor a timer
 * waits for them: a blocked thread of bun would be missing to the client's connection on a host with few
 * processors. inotify(7), fcntl(2) F_SETOWN
 */
export function watchFolders(folders: readonly string[]): FolderWatch {
  return new Watch(folders);
}

class Watch implements FolderWatch {
  readonly #folders: readonly string[];
  readonly #calls = watchCalls();
  readonly #inotify: SignalledDescriptor;
  readonly #bytes = new Uint8Array(CHUNK_BYTES);

  constructor(folders: readonly string[]) {
    this.#folders = folders;
    const fd = this.#calls.inotify_init1(O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) throw hostCallError("watch folders", readErrno());
    this.#inotify = new SignalledDescriptor(fd);
    try {
      for (const folder of folders) this.#add(folder);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  take(): boolean {
    let isChanged = false;
    const { fd } = this.#inotify;
    while (!this.#inotify.isClosed && basicCalls().read(fd, this.#bytes, CHUNK_BYTES) > 0) isChanged = true;
    // A replaced folder lost its watch. The call changes no other.
    if (isChanged)
      for (const folder of this.#folders) this.#calls.inotify_add_watch(fd, cString(folder), CHANGES);
    return isChanged;
  }

  async wait(): Promise<void> {
    await this.#inotify.wait();
  }

  close(): void {
    this.#inotify.close();
  }

  #add(folder: string): void {
    if (this.#calls.inotify_add_watch(this.#inotify.fd, cString(folder), CHANGES) >= 0) return;
    const errno = readErrno();
    if (errno !== ENOENT) throw hostCallError(`watch ${folder}`, errno);
  }
}

let opened: ReturnType<typeof openCalls> | undefined;

function watchCalls(): ReturnType<typeof openCalls> {
  opened ??= openCalls();
  return opened;
}

function openCalls() {
  // Opened first, so that no dlopen() comes between a call and readErrno().
  basicCalls();
  return dlopen("libc.so.6", CALLS).symbols;
}

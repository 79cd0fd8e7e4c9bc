import { dlopen, FFIType } from "bun:ffi";
import { SvirtError } from "../../../errors.ts";
import type { FolderLimit } from "../../../plan/facts/step-parts.ts";
import { EINVAL, ENOENT, EPERM } from "../calls/errno.ts";
import { basicCalls, cString, hostCallError, readErrno } from "../calls/libc.ts";

const { i32, ptr, u64 } = FFIType;

/** Opened separately: only commands for a guest's start or end pay for them. */
const CALLS = {
  mount: { args: [ptr, ptr, ptr, u64, ptr], returns: i32 },
  umount2: { args: [ptr, i32], returns: i32 },
} as const;

/** linux/mount.h: MS_NOSUID, MS_NODEV, MS_NOEXEC */
const FLAGS = 2n | 4n | 8n;
/** sys/mount.h */
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;
/**
 * Limit on stacked mounts. There is a second mount only if svirt was killed and another program mounted
 * there.
 */
const MOST_MOUNTS = 16;

type Calls = ReturnType<typeof dlopen<typeof CALLS>>["symbols"];
let opened: Calls | undefined;

/**
 * Mounts a tmpfs on a folder and replaces an existing mount. Throws "host-call", "no-access". mount(2),
 * tmpfs(5)
 */
export function mountMemory(path: string, { bytes, inodes }: FolderLimit): void {
  unmountMemory(path);
  const words = cString(`size=${bytes},nr_inodes=${inodes},mode=0700`);
  if (calls().mount(cString("svirt"), cString(path), cString("tmpfs"), FLAGS, words) === 0) return;
  const errno = readErrno();
  if (errno !== EPERM) throw hostCallError(`mount a tmpfs on ${path}`, errno);
  throw new SvirtError(`Cannot mount a tmpfs on ${path}: root has no permission to mount (errno ${errno})`, {
    kind: "no-access",
    remedy: "Run svirt where root has CAP_SYS_ADMIN, not in a container without it.",
  });
}

/**
 * Unmounts all file systems on a folder, even if they are in use. A folder without a mount is not an error.
 * umount2(2)
 */
export function unmountMemory(path: string): void {
  for (let at = 0; at < MOST_MOUNTS; at += 1) {
    if (calls().umount2(cString(path), MNT_DETACH | UMOUNT_NOFOLLOW) === 0) continue;
    const errno = readErrno();
    // Not a mount point, or no such folder.
    if (errno === EINVAL || errno === ENOENT) return;
    throw hostCallError(`unmount ${path}`, errno);
  }
}

function calls(): Calls {
  // Opened first, so that no dlopen() comes between a call and readErrno().
  basicCalls();
  opened ??= dlopen("libc.so.6", CALLS).symbols;
  return opened;
}

import {
  EACCES,
  EBUSY,
  EDQUOT,
  EISDIR,
  ELOOP,
  ENAMETOOLONG,
  ENOENT,
  ENOMEM,
  ENOSPC,
  ENOTDIR,
  EPERM,
  EROFS,
} from "./errno.ts";

/** What to do about a system call that failed. errno(3) */
export function callRemedy(errno: number | undefined): string {
  switch (errno) {
    case EPERM:
    case EACCES:
      return "Run svirt as root; where that is so already, svirt explain tells what SELinux has denied.";
    case ENOSPC:
    case EDQUOT:
      return "Make room on that file system.";
    case EROFS:
      return "Mount that file system for writing, or put the file on another one.";
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return "Correct the path.";
    case EISDIR:
      return "Name a file, not a folder.";
    case ENOMEM:
      return "Free memory of the host's.";
    case EBUSY:
      return "End whatever uses it, and try again.";
    default:
      return "See what the kernel says of it: dmesg.";
  }
}

/** The same for what node:fs throws, whose errno is negative. */
export function thrownRemedy(error: unknown): string {
  const errno = error instanceof Error && "errno" in error ? Number(error.errno) : Number.NaN;
  return callRemedy(Number.isInteger(errno) ? Math.abs(errno) : undefined);
}

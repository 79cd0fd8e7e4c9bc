import type { SvirtError } from "../../../errors.ts";
import {
  EACCES,
  EBUSY,
  EDQUOT,
  EFBIG,
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

/**
 * Returns kind and remedy of a failed system call: "no-access" if the kernel denies it, else "host-call".
 * errno(3)
 */
export function callFacts(errno: number | undefined): Pick<SvirtError, "kind" | "remedy"> {
  const isRefused = errno === EPERM || errno === EACCES;
  return { kind: isRefused ? "no-access" : "host-call", remedy: callRemedy(errno) };
}

/** Returns kind and remedy of an error of node:fs, with its negative errno. */
export function thrownFacts(error: unknown): Pick<SvirtError, "kind" | "remedy"> {
  const errno = error instanceof Error && "errno" in error ? Number(error.errno) : Number.NaN;
  return callFacts(Number.isInteger(errno) ? Math.abs(errno) : undefined);
}

function callRemedy(errno: number | undefined): string {
  switch (errno) {
    case EPERM:
    case EACCES:
      return "Run svirt as root; if it already runs as root, see SELinux's denials: svirt explain";
    case ENOSPC:
    case EDQUOT:
      return "Free space on that file system.";
    case EFBIG:
      return "Request a smaller size: that file system has no larger files.";
    case EROFS:
      return "Mount that file system for writing, or use a file on another one.";
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return "Correct the path.";
    case EISDIR:
      return "Name a file, not a folder.";
    case ENOMEM:
      return "Free memory on the host.";
    case EBUSY:
      return "End the program that uses it, and try again.";
    default:
      return "See the kernel's messages: dmesg";
  }
}

import { ENODATA, EOPNOTSUPP, ERANGE } from "./errno.ts";
import { cString, hostCallError, libc, readErrno } from "./libc.ts";

/** The largest value that the kernel takes. linux/limits.h XATTR_SIZE_MAX */
const MOST_BYTES = 65_536;
/** What nearly every label and mark fits into: to clear the largest for each took longer than all else about a label. */
const USUAL_BYTES = 256;

/** The value without a trailing NUL; undefined when there is none or the file system has no such names. */
export function getxattr(path: string, name: string): string | undefined {
  const bytes = getxattrBytes(path, name);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes).replace(/\0$/, "");
}

/** The value as it is. getxattr(2) */
export function getxattrBytes(path: string, name: string, mostBytes = USUAL_BYTES): Uint8Array | undefined {
  const value = new Uint8Array(mostBytes);
  const length = Number(libc().getxattr(cString(path), cString(name), value, value.length));
  if (length >= 0) return value.subarray(0, length);
  const errno = readErrno();
  if (errno === ERANGE && mostBytes < MOST_BYTES) return getxattrBytes(path, name, MOST_BYTES);
  if (errno === ENODATA || errno === EOPNOTSUPP) return undefined;
  throw hostCallError(`read ${name} of ${path}`, errno);
}

/**
 * Follows symlinks: give it a path below /proc/self/fd. False when the file system takes no such attribute.
 * Throws "host-call". setxattr(2)
 */
export function setxattr(path: string, name: string, value: Uint8Array): boolean {
  if (libc().setxattr(cString(path), cString(name), value, value.length, 0) === 0) return true;
  const errno = readErrno();
  if (errno === EOPNOTSUPP) return false;
  throw hostCallError(`set ${name} of ${path}`, errno);
}

/** One that is missing is fine. Throws "host-call". removexattr(2) */
export function removexattr(path: string, name: string): void {
  if (libc().removexattr(cString(path), cString(name)) === 0) return;
  const errno = readErrno();
  if (errno !== ENODATA && errno !== EOPNOTSUPP) throw hostCallError(`remove ${name} of ${path}`, errno);
}

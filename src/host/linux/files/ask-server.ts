import type { FileFacts } from "../../files.ts";
import { cString, hostCallError, libc, readErrno } from "../calls/libc.ts";

/** linux/fcntl.h */
const AT_FDCWD = -100;
const AT_STATX_FORCE_SYNC = 0x2000;
/** linux/stat.h */
const STATX_BASIC_STATS = 0x7ff;
const STATX_BYTES = 256;
/** Device numbers of file systems without a block device, such as network file systems. */
const NO_DEVICE = /^0:/;

/**
 * Makes the kernel request a file's attributes from its server. Otherwise its cache may hide, for a minute, a
 * label or mark that another machine has set. statx(2); nfs(5), "Data and metadata cache coherence". Throws
 * "host-call".
 */
export function askServer(at: string, { id }: Pick<FileFacts, "id">): void {
  if (!NO_DEVICE.test(id.device)) return;
  const buffer = new Uint8Array(STATX_BYTES);
  if (libc().statx(AT_FDCWD, cString(at), AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, buffer) === 0) return;
  throw hostCallError(`inspect ${id.path}`, readErrno());
}

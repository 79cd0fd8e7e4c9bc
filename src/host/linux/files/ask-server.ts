import type { FileFacts } from "../../host.ts";
import { cString, hostCallError, libc, readErrno } from "../calls/libc.ts";

/** linux/fcntl.h */
const AT_FDCWD = -100;
const AT_STATX_FORCE_SYNC = 0x2000;
/** linux/stat.h */
const STATX_BASIC_STATS = 0x7ff;
const STATX_BYTES = 256;
/** A file system without a block device, as those that a server has are. */
const NO_DEVICE = /^0:/;

/**
 * Has the kernel ask the server of a file for its attributes. Else it may tell, for a minute, what was true before another
 * machine set a label or a mark. statx(2); nfs(5), "Data and metadata cache coherence". Throws "host-call".
 */
export function askServer(at: string, { id }: Pick<FileFacts, "id">): void {
  if (!NO_DEVICE.test(id.device)) return;
  const buffer = new Uint8Array(STATX_BYTES);
  if (libc().statx(AT_FDCWD, cString(at), AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, buffer) === 0) return;
  throw hostCallError(`inspect ${id.path}`, readErrno());
}

import { SvirtError } from "../../../errors.ts";
import { callDevice } from "../calls/device-call.ts";

/** linux/fs.h, on 64-bit machines. FS_IOC_SETFLAGS takes an int, whatever its name says. */
const [FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_NOCOW_FL] = [0x80086601, 0x40086602, 0x00800000];

/**
 * Lets the file system overwrite an empty file's data in place. Throws "unsupported" for a file system
 * without this ability. ioctl_iflags(2)
 */
export function setNocow(fd: number, path: string): void {
  const flags = new Uint32Array(2);
  const call = (request: number): boolean => callDevice(fd, request, new Uint8Array(flags.buffer));
  const isRead = call(FS_IOC_GETFLAGS);
  flags[0] = (flags[0] ?? 0) | FS_NOCOW_FL;
  // A file system may accept the request and drop the flag.
  if (isRead && call(FS_IOC_SETFLAGS) && call(FS_IOC_GETFLAGS) && ((flags[0] ?? 0) & FS_NOCOW_FL) !== 0)
    return;
  throw new SvirtError(`Cannot create ${path}: /volume/target/nocow: Failed to set NOCOW flag`, {
    kind: "unsupported",
    place: "/volume/target/nocow",
    remedy: "Remove <nocow/>, which only btrfs has.",
  });
}

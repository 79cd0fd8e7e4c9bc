/** A mapping of a file, as a process has it. */
export interface MappedFile {
  /** `MAJOR:MINOR` of the file system, as the inode has it: on btrfs and overlayfs another one than stat(2) tells. */
  readonly device: string;
  readonly inode: string;
  /** What it is written into goes into the file. */
  readonly isShared: boolean;
  /** Its name in `/proc/PID/map_files`. */
  readonly range: string;
  readonly path: string;
}

/** Addresses, permissions, offset, device, inode, path. proc_pid_maps(5) */
const MAPPING = /^0*([\da-f]+)-0*([\da-f]+) [^ ]{3}([ps]) [\da-f]+ ([\da-f]+):([\da-f]+) (\d+) *(.*)$/;

/**
 * The files that `/proc/PID/maps` tells of, each mapped file once, and once more where it is mapped shared, too. Memory
 * without a file has inode 0.
 */
export function parseMaps(text: string): MappedFile[] {
  const found = new Map<string, MappedFile>();
  for (const line of text.split("\n")) {
    const [, start, end, kind, major, minor, inode, path] = MAPPING.exec(line) ?? [];
    if (start === undefined || major === undefined || minor === undefined) continue;
    if (inode === undefined || inode === "0") continue;
    const isShared = kind === "s";
    const device = `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}`;
    const key = `${device} ${inode} ${isShared}`;
    if (found.has(key)) continue;
    found.set(key, { device, inode, isShared, range: `${start}-${end}`, path: path ?? "" });
  }
  return [...found.values()];
}

/** What `/proc/PID/fdinfo/FD` tells besides position and mode. */
export interface DescriptorInfo {
  readonly inode: string | undefined;
  /** Descriptors that were sent to that socket, and wait there; undefined: it is no unix socket. net/unix/af_unix.c unix_show_fdinfo() */
  readonly waiting: number | undefined;
  /** Files that a ring holds without a descriptor; undefined: it is no ring, or one that is busy. io_uring/fdinfo.c */
  readonly registered: number | undefined;
  /** The network device of a tap's queue. drivers/net/tun.c tun_chr_show_fdinfo() */
  readonly tap: string | undefined;
}

/** Reads one. */
export function parseDescriptorInfo(text: string): DescriptorInfo {
  const waiting = /^scm_fds: (\d+)$/m.exec(text)?.[1];
  const registered = /^UserFiles:\t(\d+)$/m.exec(text)?.[1];
  const tap = /^iff:\t(.+)$/m.exec(text)?.[1];
  return {
    inode: /^ino:\t(\d+)$/m.exec(text)?.[1],
    waiting: waiting === undefined ? undefined : Number(waiting),
    registered: registered === undefined ? undefined : Number(registered),
    tap,
  };
}

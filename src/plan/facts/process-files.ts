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
 * The files that `/proc/PID/maps` tells of, each once by each name, and once more where it is mapped shared, too: on btrfs and
 * overlayfs two files may have the same numbers. Memory without a file has inode 0.
 */
export function parseMaps(text: string): MappedFile[] {
  const found = new Map<string, MappedFile>();
  for (const line of text.split("\n")) {
    const mapped = parseLine(line);
    if (mapped === undefined) continue;
    const key = `${mapped.device} ${mapped.inode} ${mapped.isShared} ${mapped.path}`;
    if (!found.has(key)) found.set(key, mapped);
  }
  return [...found.values()];
}

function parseLine(line: string): MappedFile | undefined {
  const [, start, end, kind, major = "", minor = "", inode = "0", path = ""] = MAPPING.exec(line) ?? [];
  if (inode === "0") return undefined;
  const device = `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}`;
  return { device, inode, isShared: kind === "s", range: `${start}-${end}`, path };
}

/** What `/proc/PID/fdinfo/FD` tells. */
export interface DescriptorInfo {
  readonly inode: string | undefined;
  /** Whether it was opened for writing. O_ACCMODE, open(2) */
  readonly canWrite: boolean;
  /** Descriptors that were sent to that socket, and wait there; undefined: it is no unix socket. net/unix/af_unix.c unix_show_fdinfo() */
  readonly waiting: number | undefined;
  /**
   * Files that a ring holds without a descriptor, and buffers, which may be pages of a file on a tmpfs; undefined: it is no
   * ring, or one that is busy. io_uring/fdinfo.c
   */
  readonly registered: number | undefined;
  /** The network device of a tap's queue. drivers/net/tun.c tun_chr_show_fdinfo() */
  readonly tap: string | undefined;
}

/** asm-generic/fcntl.h */
const O_ACCMODE = 3;

/** Reads one. */
export function parseDescriptorInfo(text: string): DescriptorInfo {
  const waiting = /^scm_fds: (\d+)$/m.exec(text)?.[1];
  const [files, buffers] = [/^UserFiles:\t(\d+)$/m, /^UserBufs:\t(\d+)$/m].map(
    (line) => line.exec(text)?.[1],
  );
  const tap = /^iff:\t(.+)$/m.exec(text)?.[1];
  const flags = Number.parseInt(/^flags:\t([0-7]+)$/m.exec(text)?.[1] ?? "0", 8);
  return {
    canWrite: (flags & O_ACCMODE) !== 0,
    inode: /^ino:\t(\d+)$/m.exec(text)?.[1],
    waiting: waiting === undefined ? undefined : Number(waiting),
    registered: files === undefined || buffers === undefined ? undefined : Number(files) + Number(buffers),
    tap,
  };
}

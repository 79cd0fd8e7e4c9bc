/** Mapping of a file in a process. */
export interface MappedFile {
  /** `MAJOR:MINOR` of the inode's file system. On btrfs and overlayfs, stat(2) returns a different number. */
  readonly device: string;
  readonly inode: string;
  /** Writes to the mapping go into the file. */
  readonly isShared: boolean;
  /** Name in `/proc/PID/map_files`. */
  readonly range: string;
  readonly path: string;
}

/** Addresses, permissions, offset, device, inode, path. proc_pid_maps(5) */
const MAPPING = /^0*([\da-f]+)-0*([\da-f]+) [^ ]{3}([ps]) [\da-f]+ ([\da-f]+):([\da-f]+) (\d+) *(.*)$/;

/**
 * Returns the files in `/proc/PID/maps`, each once per name, and separately for shared and private mappings.
 * Names count because two files on btrfs or overlayfs may have the same numbers. Memory without a file has
 * inode 0.
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

/** Content of `/proc/PID/fdinfo/FD`. */
export interface DescriptorInfo {
  readonly inode: string | undefined;
  /** Whether the file was opened for writing. O_ACCMODE, open(2) */
  readonly canWrite: boolean;
  /**
   * Number of descriptors queued on a unix socket; undefined: not a unix socket. net/unix/af_unix.c
   * unix_show_fdinfo()
   */
  readonly waiting: number | undefined;
  /**
   * Number of files held by an io_uring without a descriptor, plus its buffers, possibly pages of a file on a
   * tmpfs. Undefined: not a ring, or a busy ring. io_uring/fdinfo.c
   */
  readonly registered: number | undefined;
  /** Network device of a tap's queue. drivers/net/tun.c tun_chr_show_fdinfo() */
  readonly tap: string | undefined;
}

/** asm-generic/fcntl.h */
const O_ACCMODE = 3;

/** Parses the content of `/proc/PID/fdinfo/FD`. */
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

import type { MountFlag } from "./mount-order.ts";

// Rule: Every mount has nosuid, nodev and noexec, and only options that svirt knows.

const FLAG = "";
const NUMBER = "[0-9]{1,9}";
const SIZE = "[0-9]{4,8}";
const MODE = "0?[0-7]{1,3}";

/**
 * Options without a meaning for svirt: the mount has them always. DEFAULT mount options of libvirt's
 * storage_util.c
 */
const ALWAYS: ReadonlySet<string> = new Set(["nosuid", "nodev", "noexec", "rw", "defaults"]);

/** Options of every mount. mount(8) */
const FLAGS: readonly MountFlag[] = ["ro", "noatime", "nodiratime"];

/**
 * Options of the kernel's file systems that name no file, no key and no label, with the pattern of each
 * value.
 */
type Options = Readonly<Record<string, string>>;

/** nfs(5) */
const NFS: Options = {
  ...{ hard: FLAG, soft: FLAG, softerr: FLAG, timeo: NUMBER, retrans: NUMBER, rsize: SIZE, wsize: SIZE },
  ...{ ac: FLAG, noac: FLAG, actimeo: NUMBER, acregmin: NUMBER, acregmax: NUMBER, acdirmin: NUMBER },
  ...{
    acdirmax: NUMBER,
    cto: FLAG,
    nocto: FLAG,
    sync: FLAG,
    async: FLAG,
    lazytime: FLAG,
    nconnect: "[0-9]{1,2}",
  },
  ...{ lookupcache: "all|none|pos|positive", resvport: FLAG, noresvport: FLAG, proto: "tcp6?", port: NUMBER },
  ...{ sharecache: FLAG, mountport: NUMBER, mountproto: "tcp6?|udp6?", sec: "sys" },
  ...{ nolock: FLAG, lock: FLAG },
};

/** Documentation/admin-guide/ext4.rst of Linux */
const EXT: Options = {
  ...{ discard: FLAG, nodiscard: FLAG, lazytime: FLAG, commit: NUMBER, barrier: "[01]", nobarrier: FLAG },
  ...{ data: "ordered|writeback|journal", errors: "remount-ro|continue|panic" },
};

/** Documentation/admin-guide/xfs.rst, Documentation/filesystems/vfat.rst of Linux */
const BY_TYPE: ReadonlyMap<string, Options> = new Map<string, Options>([
  ["nfs", NFS],
  ...(["ext2", "ext3", "ext4"] as const).map((type) => [type, EXT] as const),
  ["xfs", { discard: FLAG, nodiscard: FLAG, lazytime: FLAG, nouuid: FLAG, inode32: FLAG, inode64: FLAG }],
  [
    "vfat",
    {
      ...{ uid: NUMBER, gid: NUMBER, umask: MODE, dmask: MODE, fmask: MODE, codepage: NUMBER },
      ...{ iocharset: "[a-z0-9-]{1,16}", utf8: FLAG, flush: FLAG, discard: FLAG, quiet: FLAG },
    },
  ],
]);

/** Options of a mount: properties of the mount, and options of the file system. */
export interface MountOptions {
  readonly flags: readonly MountFlag[];
  readonly options: readonly string[];
  /** Option that svirt does not pass on; undefined: all are passed on. */
  readonly refused: string | undefined;
}

/** Sorts the options of `<fs:mount_opts>` for a type of the kernel. */
export function sortOptions(type: string, written: readonly string[]): MountOptions {
  const rest = written.filter((option) => !ALWAYS.has(option));
  const options = rest.filter((option) => !isFlag(option));
  return {
    flags: FLAGS.filter((flag) => rest.includes(flag)),
    options,
    refused: options.find((option) => !isKnown(type, option)),
  };
}

function isFlag(option: string): boolean {
  return FLAGS.some((flag) => flag === option);
}

function isKnown(type: string, option: string): boolean {
  const known = BY_TYPE.get(type) ?? {};
  const [, name = option, value = ""] = /^([^=]*)=(.+)$/.exec(option) ?? [];
  const pattern = Object.hasOwn(known, name) ? known[name] : undefined;
  return pattern !== undefined && new RegExp(`^(?:${pattern})$`).test(value);
}

/**
 * default mount options of libvirt, storage_util.c: no program or device of a server's file has an effect.
 */
export const SAFE: readonly MountFlag[] = ["nosuid", "nodev", "noexec"];

import { SvirtError } from "../../../errors.ts";
import type { SourcedPool } from "../pool-types.ts";
import { type MountOptions, SAFE, sortOptions } from "./mount-options.ts";
import type { MountAttempt, MountOrder } from "./mount-order.ts";

/** Versions of NFS in the order of mount.nfs(8): the newest first. */
const VERSIONS = ["4.2", "4.1", "4.0", "3"];
/** NFS without the NLM protocol, which needs rpc.statd: locks count on this host only. nfs(5) */
const VERSION_3 = ["nolock"];
/** Types without writes by the kernel. */
const READ_ONLY: ReadonlySet<string> = new Set(["iso9660"]);

/** Types of the kernel that have another name in libvirt's XML. virStoragePoolFormatFileSystem */
const KERNEL_TYPES: ReadonlyMap<string, string> = new Map([["hfs+", "hfsplus"]]);

/** Returns the source of a pool's mount. virStorageBackendFileSystemGetPoolSource() of libvirt */
export function mountSource({ source }: SourcedPool): string {
  const {
    devices: [device],
    dir,
    hosts,
  } = source;
  if (device !== undefined) return device.path;
  const name = hosts[0]?.name ?? "";
  return `${name.includes(":") ? `[${name}]` : name}:${dir?.path ?? ""}`;
}

/** Returns the order for mounting an NFS server's folder. Throws "unsupported". */
export function planServerMount(pool: SourcedPool): MountOrder {
  const { hosts, protocol } = pool.source;
  const [host] = hosts;
  const { flags, options } = optionsOf(pool, "nfs");
  const ports = host?.port === undefined ? [] : [`port=${host.port}`];
  const attempts = versionsOf(protocol?.version).map(
    (version): MountAttempt => ({
      type: "nfs",
      options: [`vers=${version}`, ...(version === "3" ? VERSION_3 : []), ...ports, ...options],
    }),
  );
  return { source: mountSource(pool), server: host?.name, attempts, flags: [...SAFE, ...flags] };
}

/** Returns the order for mounting a block device with a file system of the type. Throws "unsupported". */
export function planDeviceMount(pool: SourcedPool, path: string, type: string): MountOrder {
  const { flags, options } = optionsOf(pool, type);
  const attempt = { type: KERNEL_TYPES.get(type) ?? type, options };
  const readOnly = READ_ONLY.has(type) && !flags.includes("ro") ? (["ro"] as const) : [];
  return {
    source: path,
    server: undefined,
    attempts: [attempt],
    flags: [...SAFE, ...flags, ...readOnly],
  };
}

/** Returns the versions to try. 4 is the newest version of NFS 4 that the server has. nfs(5) */
function versionsOf(version: string | undefined): readonly string[] {
  if (version === undefined) return VERSIONS;
  return version === "4" ? VERSIONS.filter((one) => one.startsWith("4.")) : [version];
}

function optionsOf({ mountOptions, name }: SourcedPool, type: string): MountOptions {
  const written = mountOptions?.options.map((option) => option.name) ?? [];
  const sorted = sortOptions(type, written);
  if (sorted.refused === undefined) return sorted;
  throw new SvirtError(
    `Cannot start the storage pool '${name}': /pool/mount_opts/option: svirt does not pass the option '${sorted.refused}' to a mount of ${type}`,
    {
      kind: "unsupported",
      place: "/pool/mount_opts/option",
      remedy:
        "Leave it out of <fs:mount_opts>, or mount the file system yourself and define a pool of type dir on it.",
    },
  );
}

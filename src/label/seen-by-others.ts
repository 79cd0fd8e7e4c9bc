/** Where a file is, by the kernel's word. */
export interface StorageFacts {
  /** The file system that has it; then those that this one stands on, by an overlay's upper folder or a loop device's file. */
  readonly fileSystems: readonly FileSystemFacts[];
  /** The disks at the bottom of these, or of the block device that the file stands for. */
  readonly disks: readonly DiskFacts[];
  /** A device node: its label is kept by this machine's own devtmpfs. */
  readonly isNode: boolean;
}

export interface FileSystemFacts {
  /** f_type of statfs(2); undefined where svirt may not ask: its type tells then. */
  readonly magic: number | undefined;
  /** Its type in /proc/self/mountinfo, with the kind that FUSE adds. proc_pid_mountinfo(5) */
  readonly type: string;
}

export interface DiskFacts {
  /** Its name in /sys/class/block. */
  readonly name: string;
  /** Where that leads to, below /sys/devices. */
  readonly path: string;
  /** `transport` of the NVMe controllers that lead to it. */
  readonly transports: readonly string[];
  /** `proc_name` of its SCSI host: the driver. */
  readonly scsiDriver?: string | undefined;
}

/** Through what other machines may see a file; undefined: only this one can, as far as its kernel knows. */
export interface Audience {
  /** What is in it. */
  readonly content: string | undefined;
  /** Its label and other attributes. */
  readonly labels: string | undefined;
}

/**
 * Whether other machines may see a file, and by what. File systems with a server or a cluster are seen, and so are disks
 * that come over a network. Not told by any kernel, and so not counted: a virtual disk that another virtual machine has as
 * well (virtio, VMware, Hyper-V), and a SAS enclosure with two hosts.
 */
export function seenByOthers({ disks, fileSystems, isNode }: StorageFacts): Audience {
  const own = fileSystems.map(fileSystemSeen);
  const below = disks.map(diskSeen);
  const content = [...(isNode ? [] : own), ...below].find((reason) => reason !== undefined);
  return { content, labels: isNode ? own.find((reason) => reason !== undefined) : content };
}

/** linux/magic.h, unless another file is named. */
const SHARED_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  // fs/smb/client/cifsfs.c
  [0xff534d42, "SMB"],
  [0xfe534d42, "SMB"],
  [0x00c36400, "CephFS"],
  // linux/gfs2_ondisk.h
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  // lustre_user.h of lustre
  [0x0bd00bd0, "Lustre"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x73757245, "Coda"],
  [0x01021997, "9P"],
  // virtiofs too, whose type tells it.
  [0x65735546, "FUSE"],
  // fs/orangefs/orangefs-kernel.h
  [0x20030528, "OrangeFS"],
  // The rest is not Linux's: coreutils src/stat.c
  [0x47504653, "GPFS"],
  [0x19830326, "BeeGFS"],
  [0xaad7aaea, "PanFS"],
  [0x61636673, "ACFS"],
  [0xbacbacbc, "VMware's shared folders"],
  [0x786f4256, "VirtualBox's shared folders"],
  [0x7c7c6673, "Parallels' shared folders"],
]);
/** FUSE on a block device, such as ntfs-3g: the device tells. */
const FUSE_ON_A_DISK = "fuseblk";

/** The same by the type in /proc/self/mountinfo. */
const SHARED_TYPES: ReadonlyMap<string, number> = new Map([
  ["nfs", 0x6969],
  ["nfs4", 0x6969],
  ["cifs", 0xff534d42],
  ["smb3", 0xfe534d42],
  ["ceph", 0x00c36400],
  ["gfs2", 0x01161970],
  ["ocfs2", 0x7461636f],
  ["lustre", 0x0bd00bd0],
  ["afs", 0x5346414f],
  ["9p", 0x01021997],
  ["virtiofs", 0x65735546],
  ["fuse", 0x65735546],
]);

function fileSystemSeen({ magic, type }: FileSystemFacts): string | undefined {
  const [family = ""] = type.split(".");
  const name = SHARED_FILE_SYSTEMS.get(magic ?? SHARED_TYPES.get(family) ?? 0);
  if (name !== "FUSE") return name;
  if (type === FUSE_ON_A_DISK) return undefined;
  return type === "virtiofs" ? type : `FUSE (${type.replace(/^fuse\./, "")})`;
}

/** By name: drivers whose disks always are somewhere else, or may be. drivers/block/ of Linux */
const REMOTE_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^nbd\d/, "NBD"],
  [/^rbd\d/, "RBD"],
  [/^drbd\d/, "DRBD"],
  [/^rnbd\d/, "RNBD"],
  [/^etherd!/, "AoE"],
  [/^ublkb\d/, "ublk"],
];
/** By place: what the SCSI transports put between a host and its disk. drivers/scsi/scsi_transport_{iscsi,fc}.c */
const REMOTE_PLACES: readonly (readonly [RegExp, string])[] = [
  [/\/session\d+\//, "iSCSI"],
  [/\/rport-\d/, "Fibre Channel"],
];
/** NVMe over fabrics; `pcie` is in this machine, and `loop` a target of its own. drivers/nvme/host/ */
const REMOTE_NVME: ReadonlySet<string> = new Set(["tcp", "rdma", "fc"]);
/** drivers/infiniband/ulp/srp/ib_srp.c */
const REMOTE_SCSI: ReadonlyMap<string, string> = new Map([["ib_srp", "SRP"]]);

function diskSeen({ name, path, scsiDriver = "", transports }: DiskFacts): string | undefined {
  const fabric = transports.find((transport) => REMOTE_NVME.has(transport));
  const found =
    REMOTE_NAMES.find(([pattern]) => pattern.test(name))?.[1] ??
    REMOTE_PLACES.find(([pattern]) => pattern.test(path))?.[1] ??
    REMOTE_SCSI.get(scsiDriver);
  if (fabric !== undefined) return `NVMe over ${fabric} (${name})`;
  return found === undefined ? undefined : `${found} (${name})`;
}

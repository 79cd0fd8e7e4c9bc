// Rule: Storage that other machines may access needs marks for them.

/** Storage of a file, as the kernel reports it. */
export interface StorageFacts {
  /**
   * File system of the file, then its lower file systems, through an overlay's upper folder or a loop
   * device's file.
   */
  readonly fileSystems: readonly FileSystemFacts[];
  /** Disks below these file systems, or below the block device that the file represents. */
  readonly disks: readonly DiskFacts[];
  /** Whether it is a device node: its label is in this machine's devtmpfs. */
  readonly isNode: boolean;
}

export interface FileSystemFacts {
  /** f_type of statfs(2); undefined if svirt is not permitted to call it: then the type decides. */
  readonly magic: number | undefined;
  /** Type in /proc/self/mountinfo, with FUSE's subtype. proc_pid_mountinfo(5) */
  readonly type: string;
}

export interface DiskFacts {
  /** Name in /sys/class/block. */
  readonly name: string;
  /** Target of the link, below /sys/devices. */
  readonly path: string;
  /** `transport` of its NVMe controllers. */
  readonly transports: readonly string[];
  /** Driver of its SCSI host: `proc_name`. */
  readonly scsiDriver?: string | undefined;
  /**
   * Whether it is a loop device whose file was removed or is in another mount namespace: its storage is
   * unknown.
   */
  readonly isLost?: boolean | undefined;
}

/**
 * Storage through which other machines may access a file; undefined if this machine's kernel knows of none.
 */
export interface Audience {
  /** For the file's content. */
  readonly content: string | undefined;
  /** For its label and other attributes. */
  readonly labels: string | undefined;
}

/**
 * Returns the storage by which other machines may access a file. Counts file systems with a server or a
 * cluster, and disks reached over a network. Counts a loop device without a found file, because the file may
 * be on such storage.
 *
 * Does not count storage unknown to the kernel:
 * - a virtual disk of several virtual machines (virtio, VMware, Hyper-V);
 * - a SAS enclosure with two hosts;
 * - the storage below a ZFS pool.
 */
export function seenByOthers({ disks, fileSystems, isNode }: StorageFacts): Audience {
  const own = fileSystems.map(fileSystemSeen);
  const below = disks.map(diskSeen);
  const content = [...(isNode ? [] : own), ...below].find((reason) => reason !== undefined);
  return { content, labels: isNode ? own.find((reason) => reason !== undefined) : content };
}

/** File system in reach of other machines. */
interface SharedFileSystem {
  readonly name: string;
  /** f_type of statfs(2). */
  readonly magics: readonly number[];
  /** Types in /proc/self/mountinfo, without FUSE's subtype. */
  readonly types: readonly string[];
}

/**
 * File systems with a server or a cluster. Magic numbers are from linux/magic.h, unless another file is
 * named.
 */
const SHARED_FILE_SYSTEMS: readonly SharedFileSystem[] = [
  { name: "NFS", magics: [0x6969], types: ["nfs", "nfs4"] },
  // fs/smb/client/cifsfs.c
  { name: "SMB", magics: [0xff534d42, 0xfe534d42, 0x517b], types: ["cifs", "smb3", "smbfs"] },
  { name: "CephFS", magics: [0x00c36400], types: ["ceph"] },
  // linux/gfs2_ondisk.h
  { name: "GFS2", magics: [0x01161970], types: ["gfs2"] },
  { name: "OCFS2", magics: [0x7461636f], types: ["ocfs2"] },
  // lustre_user.h of lustre
  { name: "Lustre", magics: [0x0bd00bd0], types: ["lustre"] },
  { name: "AFS", magics: [0x5346414f, 0x6b414653], types: ["afs"] },
  { name: "Coda", magics: [0x73757245], types: ["coda"] },
  { name: "9P", magics: [0x01021997], types: ["9p"] },
  { name: "FUSE", magics: [0x65735546], types: ["fuse", "virtiofs"] },
  // fs/orangefs/orangefs-kernel.h
  { name: "OrangeFS", magics: [0x20030528], types: ["pvfs2", "orangefs"] },
  // The rest is not part of Linux: coreutils src/stat.c
  { name: "GPFS", magics: [0x47504653], types: ["gpfs"] },
  { name: "BeeGFS", magics: [0x19830326], types: ["beegfs", "fhgfs"] },
  { name: "PanFS", magics: [0xaad7aaea], types: ["panfs"] },
  { name: "ACFS", magics: [0x61636673], types: ["acfs"] },
  // A cluster may mount it; neither number nor type shows it.
  { name: "VxFS", magics: [0xa501fcf5], types: ["vxfs"] },
  { name: "StorNext", magics: [0xbeefdead], types: ["cvfs", "snfs"] },
  { name: "IBRIX", magics: [0x013111a8], types: ["ibrix"] },
  { name: "VMware's shared folders", magics: [0xbacbacbc], types: ["vmhgfs"] },
  { name: "VirtualBox's shared folders", magics: [0x786f4256], types: ["vboxsf"] },
  { name: "Parallels' shared folders", magics: [0x7c7c6673], types: ["prl_fs"] },
];
const BY_MAGIC = new Map(SHARED_FILE_SYSTEMS.flatMap(({ magics, name }) => magics.map((key) => [key, name])));
const BY_TYPE = new Map(SHARED_FILE_SYSTEMS.flatMap(({ name, types }) => types.map((key) => [key, name])));
/** FUSE on a block device, such as ntfs-3g: the device decides. */
const FUSE_ON_A_DISK = "fuseblk";

function fileSystemSeen({ magic, type }: FileSystemFacts): string | undefined {
  const [family = ""] = type.split(".");
  const name = (magic === undefined ? undefined : BY_MAGIC.get(magic)) ?? BY_TYPE.get(family);
  if (name !== "FUSE") return name;
  if (type === FUSE_ON_A_DISK) return undefined;
  return type === "virtiofs" ? type : `FUSE (${type.replace(/^fuse\./, "")})`;
}

/** Device names of drivers whose disks are remote, or may be. drivers/block/ of Linux */
const REMOTE_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^nbd\d/, "NBD"],
  [/^rbd\d/, "RBD"],
  [/^drbd\d/, "DRBD"],
  [/^rnbd\d/, "RNBD"],
  [/^etherd!/, "AoE"],
  [/^ublkb\d/, "ublk"],
  // Not part of Linux.
  [/^scini[a-z]/, "PowerFlex"],
];
/**
 * Parts of a path that SCSI transports put between a host and its disk.
 * drivers/scsi/scsi_transport_{iscsi,fc}.c
 */
const REMOTE_PLACES: readonly (readonly [RegExp, string])[] = [
  [/\/session\d+\//, "iSCSI"],
  [/\/rport-\d/, "Fibre Channel"],
];
/**
 * Transports of NVMe over fabrics. `pcie` is local, and `loop` is a target of this machine.
 * drivers/nvme/host/
 */
const REMOTE_NVME: ReadonlySet<string> = new Set(["tcp", "rdma", "fc"]);
/** drivers/infiniband/ulp/srp/ib_srp.c */
const REMOTE_SCSI: ReadonlyMap<string, string> = new Map([["ib_srp", "SRP"]]);

function diskSeen({
  isLost = false,
  name,
  path,
  scsiDriver = "",
  transports,
}: DiskFacts): string | undefined {
  if (isLost) return `a file that svirt does not find (${name})`;
  const fabric = transports.find((transport) => REMOTE_NVME.has(transport));
  const found =
    REMOTE_NAMES.find(([pattern]) => pattern.test(name))?.[1] ??
    REMOTE_PLACES.find(([pattern]) => pattern.test(path))?.[1] ??
    REMOTE_SCSI.get(scsiDriver);
  if (fabric !== undefined) return `NVMe over ${fabric} (${name})`;
  return found === undefined ? undefined : `${found} (${name})`;
}

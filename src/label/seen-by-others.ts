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
  /** A loop device whose file was removed, or lies in another mount namespace: where that is, is not known. */
  readonly isLost?: boolean | undefined;
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
 * that come over a network. A loop device whose file is not found may lie on such a one, and so counts. Not told by any
 * kernel, and so not counted: a virtual disk that another virtual machine has as well (virtio, VMware, Hyper-V), a SAS enclosure
 * with two hosts, and what a pool of ZFS lies on.
 */
export function seenByOthers({ disks, fileSystems, isNode }: StorageFacts): Audience {
  const own = fileSystems.map(fileSystemSeen);
  const below = disks.map(diskSeen);
  const content = [...(isNode ? [] : own), ...below].find((reason) => reason !== undefined);
  return { content, labels: isNode ? own.find((reason) => reason !== undefined) : content };
}

/** A file system that other machines may see. */
interface SharedFileSystem {
  readonly name: string;
  /** f_type of statfs(2). */
  readonly magics: readonly number[];
  /** Types in /proc/self/mountinfo, without what FUSE adds. */
  readonly types: readonly string[];
}

/** Magic numbers of linux/magic.h, unless another file is named. */
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
  // The rest is not Linux's: coreutils src/stat.c
  { name: "GPFS", magics: [0x47504653], types: ["gpfs"] },
  { name: "BeeGFS", magics: [0x19830326], types: ["beegfs", "fhgfs"] },
  { name: "PanFS", magics: [0xaad7aaea], types: ["panfs"] },
  { name: "ACFS", magics: [0x61636673], types: ["acfs"] },
  // A cluster may mount it, of which neither number nor type tells.
  { name: "VxFS", magics: [0xa501fcf5], types: ["vxfs"] },
  { name: "StorNext", magics: [0xbeefdead], types: ["cvfs", "snfs"] },
  { name: "IBRIX", magics: [0x013111a8], types: ["ibrix"] },
  { name: "VMware's shared folders", magics: [0xbacbacbc], types: ["vmhgfs"] },
  { name: "VirtualBox's shared folders", magics: [0x786f4256], types: ["vboxsf"] },
  { name: "Parallels' shared folders", magics: [0x7c7c6673], types: ["prl_fs"] },
];
const BY_MAGIC = new Map(SHARED_FILE_SYSTEMS.flatMap(({ magics, name }) => magics.map((key) => [key, name])));
const BY_TYPE = new Map(SHARED_FILE_SYSTEMS.flatMap(({ name, types }) => types.map((key) => [key, name])));
/** FUSE on a block device, such as ntfs-3g: the device tells. */
const FUSE_ON_A_DISK = "fuseblk";

function fileSystemSeen({ magic, type }: FileSystemFacts): string | undefined {
  const [family = ""] = type.split(".");
  const name = (magic === undefined ? undefined : BY_MAGIC.get(magic)) ?? BY_TYPE.get(family);
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
  // Not Linux's.
  [/^scini[a-z]/, "PowerFlex"],
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

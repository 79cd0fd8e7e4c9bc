import { describe, expect, test } from "bun:test";
import { type DiskFacts, type FileSystemFacts, seenByOthers } from "../../src/label/seen-by-others.ts";

const EXT4: FileSystemFacts = { magic: 0xef53, type: "ext4" };
const DEVTMPFS: FileSystemFacts = { magic: 0x01021994, type: "devtmpfs" };

function disk(path: string, facts: Partial<DiskFacts> = {}): DiskFacts {
  return {
    name: path.slice(path.lastIndexOf("/") + 1),
    path: `/sys/devices/${path}`,
    transports: [],
    ...facts,
  };
}

describe("seenByOthers() goes by the file system", () => {
  // Numbers of linux/magic.h and of statfs(2).
  test.each<[string, number, string | undefined]>([
    ["nfs", 0x6969, "NFS"],
    ["nfs4", 0x6969, "NFS"],
    ["cifs", 0xff534d42, "SMB"],
    ["smb3", 0xfe534d42, "SMB"],
    ["smbfs", 0x517b, "SMB"],
    ["ceph", 0x00c36400, "CephFS"],
    ["gfs2", 0x01161970, "GFS2"],
    ["ocfs2", 0x7461636f, "OCFS2"],
    ["lustre", 0x0bd00bd0, "Lustre"],
    ["afs", 0x5346414f, "AFS"],
    ["9p", 0x01021997, "9P"],
    ["virtiofs", 0x65735546, "virtiofs"],
    ["fuse.glusterfs", 0x65735546, "FUSE (glusterfs)"],
    ["fuse.ceph-fuse", 0x65735546, "FUSE (ceph-fuse)"],
    ["fuse", 0x65735546, "FUSE (fuse)"],
    ["fuseblk", 0x65735546, undefined],
    ["kafs", 0x6b414653, "AFS"],
    ["coda", 0x73757245, "Coda"],
    ["pvfs2", 0x20030528, "OrangeFS"],
    ["gpfs", 0x47504653, "GPFS"],
    ["beegfs", 0x19830326, "BeeGFS"],
    ["panfs", 0xaad7aaea, "PanFS"],
    ["acfs", 0x61636673, "ACFS"],
    ["vxfs", 0xa501fcf5, "VxFS"],
    ["cvfs", 0xbeefdead, "StorNext"],
    ["ibrix", 0x013111a8, "IBRIX"],
    ["vmhgfs", 0xbacbacbc, "VMware's shared folders"],
    ["vboxsf", 0x786f4256, "VirtualBox's shared folders"],
    ["prl_fs", 0x7c7c6673, "Parallels' shared folders"],
    ["ext4", 0xef53, undefined],
    ["xfs", 0x58465342, undefined],
    ["btrfs", 0x9123683e, undefined],
    ["zfs", 0x2fc12fc1, undefined],
    ["tmpfs", 0x01021994, undefined],
    ["overlay", 0x794c7630, undefined],
    ["vfat", 0x4d44, undefined],
  ])("%s", (type, magic, reason) => {
    // FUSE has one number for four answers, which depend on the type.
    const byNumber = magic === 0x65735546 ? type : "";
    for (const told of [type, byNumber]) {
      const facts = { fileSystems: [{ magic, type: told }], disks: [], isNode: false };
      expect(seenByOthers(facts)).toEqual({ content: reason, labels: reason });
    }
  });

  test.each<[string, string | undefined]>([
    ["nfs4", "NFS"],
    ["nfs", "NFS"],
    ["cifs", "SMB"],
    ["smb3", "SMB"],
    ["ceph", "CephFS"],
    ["gfs2", "GFS2"],
    ["ocfs2", "OCFS2"],
    ["lustre", "Lustre"],
    ["smbfs", "SMB"],
    ["afs", "AFS"],
    ["coda", "Coda"],
    ["pvfs2", "OrangeFS"],
    ["orangefs", "OrangeFS"],
    ["gpfs", "GPFS"],
    ["beegfs", "BeeGFS"],
    ["fhgfs", "BeeGFS"],
    ["panfs", "PanFS"],
    ["acfs", "ACFS"],
    ["vxfs", "VxFS"],
    ["cvfs", "StorNext"],
    ["snfs", "StorNext"],
    ["ibrix", "IBRIX"],
    ["vmhgfs", "VMware's shared folders"],
    ["vboxsf", "VirtualBox's shared folders"],
    ["prl_fs", "Parallels' shared folders"],
    ["9p", "9P"],
    ["virtiofs", "virtiofs"],
    ["fuse.glusterfs", "FUSE (glusterfs)"],
    ["fuseblk", undefined],
    ["ext4", undefined],
    ["", undefined],
  ])("%s, where its number may not be asked for", (type, reason) => {
    const facts = { fileSystems: [{ magic: undefined, type }], disks: [], isNode: false };
    expect(seenByOthers(facts).labels).toBe(reason);
  });

  test("that is under an overlay or a loop device, too", () => {
    const under = { magic: 0x6969, type: "nfs4" };
    const facts = { fileSystems: [{ magic: 0x794c7630, type: "overlay" }, under], disks: [], isNode: false };
    expect(seenByOthers(facts)).toEqual({ content: "NFS", labels: "NFS" });
  });
});

describe("seenByOthers() goes by the disk below", () => {
  test.each<[string, DiskFacts, string | undefined]>([
    ["SATA", disk("pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda"), undefined],
    [
      "SAS",
      disk("pci0000:00/0000:01:00.0/host1/port-1:0/end_device-1:0/target1:0:0/1:0:0:0/block/sdb"),
      undefined,
    ],
    ["USB", disk("pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdc"), undefined],
    ["virtio", disk("pci0000:00/0000:00:02.0/virtio1/block/vda"), undefined],
    ["iSCSI", disk("platform/host2/session1/target2:0:0/2:0:0:1/block/sdd"), "iSCSI (sdd)"],
    [
      "Fibre Channel",
      disk("pci0000:00/0000:05:00.0/host7/rport-7:0-2/target7:0:1/7:0:1:0/block/sde"),
      "Fibre Channel (sde)",
    ],
    ["SRP", disk("virtual/host8/target8:0:0/8:0:0:0/block/sdf", { scsiDriver: "ib_srp" }), "SRP (sdf)"],
    ["NBD", disk("virtual/block/nbd0"), "NBD (nbd0)"],
    ["RBD", disk("rbd/0/block/rbd0"), "RBD (rbd0)"],
    ["DRBD", disk("virtual/block/drbd1"), "DRBD (drbd1)"],
    ["AoE", disk("virtual/block/etherd!e0.1"), "AoE (etherd!e0.1)"],
    ["ublk", disk("virtual/block/ublkb0"), "ublk (ublkb0)"],
    ["NVMe", disk("pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1", { transports: ["pcie"] }), undefined],
    [
      "NVMe over TCP",
      disk("virtual/nvme-subsystem/nvme-subsys1/nvme1n1", { transports: ["tcp", "tcp"] }),
      "NVMe over tcp (nvme1n1)",
    ],
    [
      "NVMe over RDMA",
      disk("virtual/nvme-fabrics/ctl/nvme2/nvme2n1", { transports: ["rdma"] }),
      "NVMe over rdma (nvme2n1)",
    ],
    [
      "NVMe over Fibre Channel",
      disk("virtual/nvme-fabrics/ctl/nvme3/nvme3n1", { transports: ["fc"] }),
      "NVMe over fc (nvme3n1)",
    ],
    ["a loop device's own target", disk("x/nvme4n1", { transports: ["loop"] }), undefined],
    ["memory", disk("virtual/block/ram0"), undefined],
    ["PowerFlex", disk("virtual/block/scinia"), "PowerFlex (scinia)"],
    [
      "a loop device whose file is not found",
      disk("virtual/block/loop0", { isLost: true }),
      "a file that svirt does not find (loop0)",
    ],
    ["a name that only begins so", disk("virtual/block/nbdx"), undefined],
    ["another one", disk("virtual/block/scini"), undefined],
  ])("%s", (_, below, reason) => {
    expect(seenByOthers({ fileSystems: [EXT4], disks: [below], isNode: false })).toEqual({
      content: reason,
      labels: reason,
    });
    // A device node and its label belong to this machine. Its content does not.
    expect(seenByOthers({ fileSystems: [DEVTMPFS], disks: [below], isNode: true })).toEqual({
      content: reason,
      labels: undefined,
    });
  });

  test("any of several, as of a volume group", () => {
    const disks = [disk("a/block/sda"), disk("platform/host2/session1/target2:0:0/2:0:0:1/block/sdb")];
    expect(seenByOthers({ fileSystems: [EXT4], disks, isNode: false }).labels).toBe("iSCSI (sdb)");
  });
});

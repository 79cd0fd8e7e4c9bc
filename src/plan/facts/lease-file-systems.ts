/**
 * File systems with leases as a proof: no process has the file. Each open or mapped file counts on the inode
 * itself (inode_is_open_for_write() and i_readcount, fs/locks.c of Linux). No page of it can be pinned for
 * long for writing (writable_file_mapping_allowed(), mm/gup.c). Magic numbers of linux/magic.h, and fs/xfs
 * and fs/f2fs.
 *
 * Excluded for a reason: overlayfs, ecryptfs and FUSE: their mappings may count on the inode below. Also
 * tmpfs, ramfs and hugetlbfs: an io_uring or a VFIO device keeps their pages without a mapping. Also NFS,
 * SMB, Ceph, 9P and cluster file systems: their own code grants or refuses leases. All others are excluded
 * because they were not examined.
 */
const PROVING: ReadonlySet<number> = new Set([
  // ext2, ext3 and ext4
  0xef53,
  // XFS
  0x58465342,
  // Btrfs
  0x9123683e,
  // F2FS
  0xf2f52010,
]);

/**
 * Reports whether a lease on a file of that file system is a proof. `magic` is f_type of statfs(2), undefined
 * if unknown.
 */
export function isProvenByLease(magic: number | undefined): boolean {
  return magic !== undefined && PROVING.has(magic);
}

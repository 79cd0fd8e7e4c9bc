import { expect } from "bun:test";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { NFS_SERVER } from "./programs/nfs-server.ts";
import { bringPrograms, PROGRAMS } from "./programs/on-the-node.ts";

// Real mounts of storage whose files have no labels of their own: the kernel's answer decides, not the file
// system's name.

const onTheNode = await onANode();
const LEVEL = "s0:c10,c20";
const DOMAIN = `system_u:system_r:svirt_tcg_t:${LEVEL}`;
const IMAGE = `system_u:object_r:svirt_image_t:${LEVEL}`;
const SHARED = "system_u:object_r:svirt_image_t:s0";
const OWN = "<seclabel model='selinux' relabel='no'/>";

bringPrograms();

/**
 * Tries the disk on the mount for a dynamic guest, for a guest with the mount's static label, and without
 * relabelling.
 */
const TRIES = `
  try_dynamic() { guest life-a "$(disk $1)"; note $2 svirt start life-a; svirt destroy life-a >/dev/null 2>&1 || :; }
  try_static() {
    guest life-b "$(disk $1)" "$(static ${DOMAIN})"
    note $2 svirt start life-b
    note $2-audit svirt audit
    note $2-reads reads life-b
    svirt destroy life-b >/dev/null 2>&1 || :
  }
  as_it_is() {
    printf "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s'>${OWN}</source><target dev='vda' bus='virtio'/></disk>" $1
  }
  try_as_it_is() {
    guest life-c "$(as_it_is $1)"
    note $2 svirt start life-c
    svirt destroy life-c >/dev/null 2>&1 || :
  }
`;

function expectRefused(notes: Notes, name: string, type: string): void {
  const { code, err } = noteOf(notes, name);
  expect([name, code]).toEqual([name, 5]);
  expect(err).toContain(
    `its file system stores no labels (it has system_u:object_r:${type}:s0, the label of its mount)`,
  );
  expect(err).toContain("so SELinux could not keep other guests from it");
  expect(err).toContain('context="system_u:object_r:svirt_image_t:s0:c');
  expect(err).toContain(`context="${SHARED}"`);
}

/** Expects that the guest started, that its QEMU can use the file, and that the audit has no findings. */
function expectUsed(notes: Notes, name: string): void {
  expect([name, noteOf(notes, name).err, noteOf(notes, name).code]).toEqual([name, "", 0]);
  expect([name, noteOf(notes, `${name}-reads`).out]).toEqual([
    name,
    expect.stringContaining("read 512/512 bytes"),
  ]);
  expect(noteOf(notes, `${name}-audit`).out).toContain("No findings.");
}

onTheNode("vfat: refused plain; a mount with the label of a static guest is that guest's", async () => {
  const notes = await onNode(`
    ${TRIES}
    clean
    modprobe vfat; modprobe nls_cp437; modprobe nls_ascii
    dd if=/dev/zero of=$here/fat.img bs=1M count=4 2>/dev/null
    mkdosfs $here/fat.img >/dev/null
    mkdir -p $here/mnt
    mount -t vfat -o loop,iocharset=ascii $here/fat.img $here/mnt
    copy halt mnt/a.img
    note plain-label label_of $here/mnt/a.img
    try_dynamic $here/mnt/a.img plain
    try_static $here/mnt/a.img plain-static
    try_as_it_is $here/mnt/a.img plain-as-it-is
    umount $here/mnt
    mount -t vfat -o 'loop,iocharset=ascii,context="${IMAGE}"' $here/fat.img $here/mnt
    try_static $here/mnt/a.img context
    try_dynamic $here/mnt/a.img others
    umount $here/mnt
    mount -t vfat -o 'loop,iocharset=ascii,context="${SHARED}"' $here/fat.img $here/mnt
    try_as_it_is $here/mnt/a.img anybodys
    try_dynamic $here/mnt/a.img anybodys-labelled
    note after label_of $here/mnt/a.img
    umount $here/mnt
  `);
  expectRefused(notes, "plain", "dosfs_t");
  expect(noteOf(notes, "plain-static").code).toBe(5);
  expect(noteOf(notes, "plain-as-it-is").code).toBe(5);
  expect(noteOf(notes, "plain-as-it-is").err).toContain("read a file labelled system_u:object_r:dosfs_t:s0");
  expectUsed(notes, "context");
  expect(noteOf(notes, "others").code).toBe(5);
  expect([noteOf(notes, "anybodys").err, noteOf(notes, "anybodys").code]).toEqual(["", 0]);
  expect(noteOf(notes, "anybodys-labelled").code).toBe(5);
  expect(outOf(notes, "after")).toBe(SHARED);
});

onTheNode("tmpfs keeps labels: a disk on it is labelled and given back as anywhere", async () => {
  const notes = await onNode(`
    ${TRIES}
    clean
    mkdir -p $here/mnt
    mount -t tmpfs tmpfs $here/mnt
    copy halt mnt/a.img
    note before labels $here/mnt/a.img
    guest life-a "$(disk $here/mnt/a.img)"
    note start svirt start life-a
    note during label_of $here/mnt/a.img
    svirt destroy life-a >/dev/null
    note after labels $here/mnt/a.img
    umount $here/mnt
  `);
  expect([noteOf(notes, "start").err, noteOf(notes, "start").code]).toEqual(["", 0]);
  expect(outOf(notes, "during")).toContain(":svirt_image_t:s0:c");
  expect(noteOf(notes, "after").out).toBe(noteOf(notes, "before").out);
});

onTheNode(
  "NFS: refused plain, also with virt_use_nfs on; a mount with context= is one guest's; labelled NFS keeps labels",
  async () => {
    const notes = await onNode(`
    ${TRIES}
    ${PROGRAMS}
    ${NFS_SERVER}
    clean
    prepare_export
    mkdir -p $here/mnt
    copy halt export/a.img
    serve 127.0.0.1
    nfs() { mount -t nfs4 -o "vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1$1" 127.0.0.1:/ $here/mnt; }
    note mount nfs ''
    try_dynamic $here/mnt/a.img plain
    boolean=/sys/fs/selinux/booleans/virt_use_nfs
    echo 1 >$boolean; echo 1 >/sys/fs/selinux/commit_pending_bools
    try_as_it_is $here/mnt/a.img boolean
    echo 0 >$boolean; echo 1 >/sys/fs/selinux/commit_pending_bools
    umount $here/mnt
    nfs ',context="${IMAGE}"'
    try_static $here/mnt/a.img context
    umount $here/mnt
    tool exportfs -u 127.0.0.1:$here/export
    export_to 127.0.0.1 ,security_label
    nfs ''
    note labelled-before label_of $here/mnt/a.img
    guest life-a "$(disk $here/mnt/a.img)"
    note labelled svirt start life-a
    note labelled-during label_of $here/export/a.img
    svirt destroy life-a >/dev/null 2>&1 || :
    note labelled-after label_of $here/mnt/a.img
    umount $here/mnt
    serve_no_more
  `);
    expect([noteOf(notes, "mount").err, noteOf(notes, "mount").code]).toEqual(["", 0]);
    expectRefused(notes, "plain", "nfs_t");
    // svirt's policy denies guests the right that the boolean gives them.
    expect(noteOf(notes, "boolean").code).toBe(5);
    expectUsed(notes, "context");
    expect([noteOf(notes, "labelled").err, noteOf(notes, "labelled").code]).toEqual(["", 0]);
    expect(outOf(notes, "labelled-during")).toContain(":svirt_image_t:s0:c");
    expect(outOf(notes, "labelled-after")).toBe(outOf(notes, "labelled-before"));
  },
);

onTheNode("FUSE: refused, with the label that its mount has", async () => {
  const notes = await onNode(`
    ${TRIES}
    ${PROGRAMS}
    clean
    copy halt a.img
    : >$here/fuse.img
    tool qemu-storage-daemon --daemonize --blockdev file,node-name=f,filename=$here/a.img \\
      --export fuse,id=e,node-name=f,mountpoint=$here/fuse.img,writable=on
    try_dynamic $here/fuse.img plain
    kill $(pidof qemu-storage-daemon)
    wait_for sh -c "! mount | grep -q $here/fuse.img"
  `);
  expectRefused(notes, "plain", "fusefs_t");
});

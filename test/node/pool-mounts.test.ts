import { expect } from "bun:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { node, onNode } from "./harness/on-the-node.ts";
import { NFS_SERVER } from "./programs/nfs-server.ts";
import { bringPrograms, PROGRAMS } from "./programs/on-the-node.ts";

// Pools of type fs and netfs, with real mounts under an enforcing policy. A loop device stands for a disk.

const onTheNode = await onANode();
const LEVEL = "s0:c10,c20";
const DOMAIN = `system_u:system_r:svirt_tcg_t:${LEVEL}`;
const IMAGE = `system_u:object_r:svirt_image_t:${LEVEL}`;
const CONTENT = "system_u:object_r:virt_content_t:s0";
const HERE = "/srv/lifecycle";

bringPrograms();

/**
 * `pool TYPE PARTS [LABEL [OPTION]]` defines the pool life-mount; `volume NAME [MORE]` prints a disk of it.
 */
const SCENE = `
  target=$here/target
  remove() {
    svirt destroy life-m >/dev/null 2>&1 || :
    svirt undefine life-m >/dev/null 2>&1 || :
    svirt pool-destroy life-mount >/dev/null 2>&1 || :
    svirt pool-undefine life-mount >/dev/null 2>&1 || :
  }
  pool() {
    cat >$work/pool.xml <<XML
<pool type='$1' xmlns:fs='http://libvirt.org/schemas/storagepool/fs/1.0'><name>life-mount</name><source>$2</source>
<target><path>$target</path>\${3:+<permissions><label>$3</label></permissions>}</target>
\${4:+<fs:mount_opts><fs:option name='$4'/></fs:mount_opts>}</pool>
XML
    svirt pool-define $work/pool.xml
  }
  volume() {
    printf "<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='life-mount' volume='%s'/><target dev='vda' bus='virtio'/>%s</disk>" "$1" "\${2-}"
  }
  mounted() { sed -n "s# - \\(.*\\)# \\1#; s#^[^ ]* [^ ]* [^ ]* [^ ]* $target ##p" /proc/self/mountinfo; }
  on_loop() { loop=$(losetup -f); losetup "$loop" "$1"; }
  remove
  clean
`;

function expectDone(notes: Notes, ...names: readonly string[]): void {
  for (const name of names)
    expect([name, noteOf(notes, name).err, noteOf(notes, name).code]).toEqual([name, "", 0]);
}

/** Puts an image of 16 MiB with an ext4 file system on the node. */
async function putDisk(): Promise<void> {
  const folder = mkdtempSync("/tmp/svirt-disk-");
  try {
    const image = `${folder}/disk.img`;
    writeFileSync(image, "");
    truncateSync(image, 16 * 1024 * 1024);
    expect(Bun.spawnSync(["mkfs.ext4", "-q", image]).exitCode).toBe(0);
    await node(["put", image, HERE]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

onTheNode(
  "ext4: a volume has its guest's label, and the pool is unmounted after the guest's end",
  async () => {
    await onNode(SCENE);
    await putDisk();
    const notes = await onNode(`
    target=$here/target
    ${SCENE.replace(/^ {2}clean$/m, "")}
    modprobe ext4 2>/dev/null || :
    on_loop $here/disk.img
    note define pool fs "<device path='$loop'/>"
    note start svirt pool-start life-mount --build
    note mounted mounted
    note again svirt pool-start life-mount
    note info svirt pool-info life-mount
    note create svirt vol-create-as life-mount a.img 1M --format raw
    note before label_of $target/a.img
    guest life-m "$(volume a.img)"
    note run svirt start life-m
    note during label_of $target/a.img
    note own label_in_xml life-m
    note busy svirt pool-destroy life-mount
    note still mounted
    note audit svirt audit
    svirt destroy life-m >/dev/null
    note after label_of $target/a.img
    note format svirt pool-build life-mount --overwrite
    note refresh svirt pool-refresh life-mount
    note destroy svirt pool-destroy life-mount
    note unmounted mounted
    note empty ls -A $target
    mkdir $here/elsewhere
    mount -t ext4 $loop $here/elsewhere
    note twice svirt pool-start life-mount
    note overwrite svirt pool-build life-mount --overwrite
    umount $here/elsewhere
    note labelled pool fs "<device path='$loop'/><format type='ext4'/>" system_u:object_r:virt_image_t:s0
    note labelled-start svirt pool-start life-mount
    note root label_of $target
    remove
    losetup -d $loop
  `);
    expectDone(
      notes,
      "define",
      "start",
      "info",
      "create",
      "run",
      "audit",
      "refresh",
      "destroy",
      "labelled",
      "labelled-start",
    );
    expect(outOf(notes, "mounted")).toMatch(/^rw,nosuid,nodev,noexec,\S* .*ext4 \/dev\/loop\d+ /);
    expect(noteOf(notes, "again").err).toContain("storage pool 'life-mount' is already active");
    expect(outOf(notes, "during")).toMatch(/^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/);
    expect(outOf(notes, "during").split(":s0:")[1]).toBe(outOf(notes, "own").split(":s0:")[1] ?? "");
    expect([noteOf(notes, "busy").code, noteOf(notes, "busy").err]).toEqual([
      5,
      expect.stringContaining("the guest life-m uses"),
    ]);
    expect(outOf(notes, "still")).toBe(outOf(notes, "mounted"));
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect(noteOf(notes, "format").err).toContain("is already active");
    expect([outOf(notes, "unmounted"), outOf(notes, "empty")]).toEqual(["", ""]);
    expect([noteOf(notes, "twice").code, noteOf(notes, "overwrite").code]).not.toContain(0);
    expect(noteOf(notes, "twice").err).toContain("the host uses it");
    expect(outOf(notes, "root")).toBe("system_u:object_r:virt_image_t:s0");
  },
);

/** Tries a disk of the mounted pool for a dynamic guest and for the one with a static label. */
const TRIES = `
  try_guests() {
    guest life-m "$(volume a.img)"
    note $1-dynamic svirt start life-m
    svirt destroy life-m >/dev/null 2>&1 || :
    svirt undefine life-m >/dev/null
    guest life-m "$(volume a.img)" "$(static ${DOMAIN})"
    note $1-static svirt start life-m
    note $1-audit svirt audit
    svirt destroy life-m >/dev/null 2>&1 || :
    svirt undefine life-m >/dev/null
  }
`;

/**
 * Expects that no guest gets a disk of content, and that only the guest of the label gets one of its pool.
 */
function expectIsolated(notes: Notes): void {
  expectDone(
    notes,
    "content",
    "content-start",
    "private",
    "private-start",
    "private-static",
    "private-create",
  );
  expect([outOf(notes, "content-label"), outOf(notes, "private-label")]).toEqual([CONTENT, IMAGE]);
  for (const name of ["content-dynamic", "content-static", "private-dynamic"])
    expect([name, noteOf(notes, name).code]).toEqual([name, 5]);
  expect(noteOf(notes, "private-audit").out).toContain("No findings.");
  expect(outOf(notes, "private-volume")).toBe(IMAGE);
}

onTheNode("vfat: without labels of its files a pool is content, or one guest's", async () => {
  const notes = await onNode(`
    ${SCENE}
    ${TRIES}
    modprobe vfat; modprobe nls_cp437; modprobe nls_ascii
    dd if=/dev/zero of=$here/fat.img bs=1M count=4 2>/dev/null
    mkdosfs $here/fat.img >/dev/null
    on_loop $here/fat.img
    source="<device path='$loop'/><format type='vfat'/>"
    note content pool fs "$source" '' iocharset=ascii
    note content-start svirt pool-start life-mount --build
    cp $here/boot/halt $target/a.img
    note content-label label_of $target/a.img
    try_guests content
    svirt pool-destroy life-mount >/dev/null
    note private pool fs "$source" ${IMAGE} iocharset=ascii
    note private-start svirt pool-start life-mount
    note private-label label_of $target/a.img
    note private-create svirt vol-create-as life-mount b.img 1M --format raw
    note private-volume label_of $target/b.img
    try_guests private
    remove
    losetup -d $loop
  `);
  expectIsolated(notes);
});

onTheNode(
  "NFS: a pool is content, one guest's, or keeps labels if the server exports them",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    ${TRIES}
    ${PROGRAMS}
    ${NFS_SERVER}
    prepare_export
    copy halt export/a.img
    serve 127.0.0.1
    source="<host name='127.0.0.1'/><dir path='/'/>"
    note content pool netfs "$source"
    note content-start svirt pool-start life-mount --build
    note mounted mounted
    note content-label label_of $target/a.img
    try_guests content
    svirt pool-destroy life-mount >/dev/null
    note private pool netfs "$source<protocol ver='4.2'/>" ${IMAGE}
    note private-start svirt pool-start life-mount
    note private-label label_of $target/a.img
    note private-create svirt vol-create-as life-mount b.img 1M --format raw
    note private-volume label_of $target/b.img
    try_guests private
    svirt pool-destroy life-mount >/dev/null
    note unmounted mounted
    tool exportfs -u 127.0.0.1:$here/export
    export_to 127.0.0.1 ,security_label
    note labelled pool netfs "$source"
    note labelled-start svirt pool-start life-mount
    guest life-m "$(volume a.img)"
    note labelled-run svirt start life-m
    note labelled-during label_of $here/export/a.img
    remove
    note missing pool netfs "<host name='127.0.0.1'/><dir path='/none'/><protocol ver='4.2'/>"
    note missing-start svirt pool-start life-mount
    remove
    serve_no_more
  `);
    expectIsolated(notes);
    expect(outOf(notes, "mounted")).toMatch(/^rw,nosuid,nodev,noexec,\S* .*nfs4 127\.0\.0\.1:\/ .*vers=4\.2/);
    expect(outOf(notes, "unmounted")).toBe("");
    expectDone(notes, "labelled", "labelled-start", "labelled-run");
    expect(outOf(notes, "labelled-during")).toMatch(/^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/);
    expect([noteOf(notes, "missing-start").code, noteOf(notes, "missing-start").err]).toEqual([
      1,
      expect.stringContaining("No such file or directory (errno 2)"),
    ]);
  },
  { timeoutMs: 120_000 },
);

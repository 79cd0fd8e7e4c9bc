import { expect } from "bun:test";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { MOUNTD_PORT, NFS_PORT, NFS_SERVER } from "./programs/nfs-server.ts";
import { bringPrograms, PROGRAMS } from "./programs/on-the-node.ts";

// Pools of a server that speaks NFS v3 alone, with rpcbind and mountd. That version has no labels of files.

const onTheNode = await onANode();
const LEVEL = "s0:c10,c20";
const DOMAIN = `system_u:system_r:svirt_tcg_t:${LEVEL}`;
const IMAGE = `system_u:object_r:svirt_image_t:${LEVEL}`;
const CONTENT = "system_u:object_r:virt_content_t:s0";
const PRIVATE = /^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/;
const TIMEOUT_MS = 180_000;

bringPrograms();

/**
 * `pool SOURCE [LABEL [OPTION]]` defines the pool life-v3; \`mounts\` prints each mount at its target or
 * below.
 */
const SCENE = `
  ${PROGRAMS}
  ${NFS_SERVER}
  target=$here/target
  remove() {
    for name in life-own life-m; do
      svirt destroy $name >/dev/null 2>&1
      svirt undefine $name >/dev/null 2>&1
    done
    svirt pool-destroy life-v3 >/dev/null 2>&1
    svirt pool-undefine life-v3 >/dev/null 2>&1
    serve_no_more 2>/dev/null
  }
  pool() {
    cat >$work/pool.xml <<XML
<pool type='netfs' xmlns:fs='http://libvirt.org/schemas/storagepool/fs/1.0'><name>life-v3</name><source>$1</source>
<target><path>$target</path>\${2:+<permissions><label>$2</label></permissions>}</target>
\${3:+<fs:mount_opts><fs:option name='$3'/></fs:mount_opts>}</pool>
XML
    svirt pool-define $work/pool.xml
  }
  volume() {
    printf "<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='life-v3' volume='%s'/><target dev='vda' bus='virtio'/></disk>" "$1"
  }
  mounts() { sed -n "s#^[^ ]* [^ ]* [^ ]* [^ ]* \\($target[^ ]*\\) .* - #\\1 #p" /proc/self/mountinfo; }
  clean
  prepare_export
  modprobe nfsv3
  mkdir -p $here/export/one
  copy halt export/one/a.img export/b.img
  chmod 777 $here/export $here/export/one
  source="<host name='127.0.0.1'/><dir path='$here/export'/>"
`;

function expectDone(notes: Notes, ...names: readonly string[]): void {
  for (const name of names)
    expect([name, noteOf(notes, name).err, noteOf(notes, name).code]).toEqual([name, "", 0]);
}

onTheNode(
  "NFS v3: a volume has the label of its pool and of its guest, and another guest has its own folder with its own",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    serve_v3 127.0.0.1
    note before labels $here/export/one/a.img $here/export/b.img
    note content pool "$source<protocol ver='3'/>"
    note content-start svirt pool-start life-v3 --build
    note content-mounts mounts
    note content-label label_of $target/b.img
    guest life-own "$(disk $target/one/a.img)"
    note own svirt start life-own
    note own-mounts mounts
    note own-label label_of $target/one/a.img
    note own-image label_in_xml life-own imagelabel
    note own-reads reads life-own
    note audit svirt audit
    guest life-m "$(volume b.img)"
    note refused svirt start life-m
    note info svirt pool-info life-v3
    note end svirt destroy life-own
    note end-mounts mounts
    note trace left life-own
    note content-stop svirt pool-destroy life-v3
    note private pool "$source<protocol ver='3'/>" ${IMAGE}
    note private-start svirt pool-start life-v3
    note create svirt vol-create-as life-v3 c.img 1M --format raw
    note list svirt vol-list life-v3
    guest life-m "$(volume c.img)" "$(static ${DOMAIN})"
    note run svirt start life-m
    note label label_of $target/c.img
    note reads reads life-m
    note private-audit svirt audit
    svirt destroy life-m >/dev/null
    # Without the volume. A label of no known guest might be one of another machine's.
    svirt undefine life-m >/dev/null
    guest life-m "" "$(static ${DOMAIN})"
    note delete svirt vol-delete c.img --pool life-v3
    note private-stop svirt pool-destroy life-v3
    note none mounts
    note after labels $here/export/one/a.img $here/export/b.img
    remove
  `);
    expectDone(notes, "content", "content-start", "own", "end", "content-stop", "private", "private-start");
    expectDone(notes, "create", "run", "delete", "private-stop", "audit", "private-audit");
    const v3 =
      /^\/srv\/lifecycle\/target nfs 127\.0\.0\.1:\/srv\/lifecycle\/export rw,.*vers=3,.*local_lock=all/;
    expect(outOf(notes, "content-mounts")).toMatch(v3);
    expect(outOf(notes, "content-mounts")).toContain(`context=${CONTENT}`);
    expect(outOf(notes, "content-label")).toBe(CONTENT);
    const [pool = "", own = ""] = outOf(notes, "own-mounts").split("\n");
    expect(pool).toBe(outOf(notes, "content-mounts"));
    expect(own).toContain("target/one nfs 127.0.0.1:/srv/lifecycle/export/one rw,");
    expect(outOf(notes, "own-label")).toMatch(PRIVATE);
    expect(outOf(notes, "own-label")).toBe(outOf(notes, "own-image"));
    for (const name of ["own-reads", "reads"])
      expect([name, outOf(notes, name)]).toEqual([name, expect.stringContaining("read 512/512 bytes")]);
    expect([noteOf(notes, "refused").code, noteOf(notes, "refused").err]).toEqual([
      5,
      expect.stringContaining("its file system stores no labels"),
    ]);
    expect(outOf(notes, "info")).toMatch(/State: +running/);
    expect(outOf(notes, "end-mounts")).toBe(outOf(notes, "content-mounts"));
    expect([outOf(notes, "trace"), outOf(notes, "none")]).toEqual(["", ""]);
    expect(outOf(notes, "list")).toMatch(/c\.img +\/srv\/lifecycle\/target\/c\.img/);
    expect(outOf(notes, "label")).toBe(IMAGE);
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  },
  { timeoutMs: TIMEOUT_MS },
);

onTheNode(
  "NFS v3: a pool without a version finds it, and one with the ports of the server needs no rpcbind",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    serve_v3 127.0.0.1
    note found pool "$source"
    note found-start svirt pool-start life-v3 --build
    note found-mounts mounts
    note found-stop svirt pool-destroy life-v3
    kill $(pidof rpcbind)
    wait_for sh -c '! pidof rpcbind'
    note lost svirt pool-start life-v3
    source="<host name='127.0.0.1' port='${NFS_PORT}'/><dir path='$here/export'/>"
    note ports pool "$source<protocol ver='3'/>" '' mountport=${MOUNTD_PORT}
    note ports-start svirt pool-start life-v3
    note ports-mounts mounts
    note ports-stop svirt pool-destroy life-v3
    remove
  `);
    expectDone(notes, "found", "found-start", "found-stop", "ports", "ports-start", "ports-stop");
    expect(outOf(notes, "found-mounts")).toContain(",vers=3,");
    expect(noteOf(notes, "lost").code).not.toBe(0);
    expect(outOf(notes, "ports-mounts")).toContain(`,port=${NFS_PORT},`);
    expect(outOf(notes, "ports-mounts")).toContain(`,mountport=${MOUNTD_PORT},`);
  },
  { timeoutMs: TIMEOUT_MS },
);

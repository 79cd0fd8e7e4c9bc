import { afterAll, beforeAll, expect } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { bootDisk } from "../../guest/boot-sector.ts";
import { type IscsiTarget, serveIscsi } from "../../image/servers/iscsi.ts";
import { type NfsServer, serveNfs } from "../../image/servers/nfs.ts";
import { type Notes, noteOf, outOf } from "../harness/notes.ts";
import { onANode } from "../harness/on-a-node.ts";
import { node, onNode } from "../harness/on-the-node.ts";
import { isNodeUp } from "../isolation/on-the-node.ts";
import { ISCSI_TARGET, PASSWORD, USER } from "../programs/iscsi-target.ts";
import { LVM } from "../programs/lvm.ts";

// The power of the node is cut under active pools. Their servers are processes on this machine, which keeps
// its power.

const onTheNode = await onANode();
const CONTENT = "system_u:object_r:virt_content_t:s0";
const DISK = "system_u:object_r:fixed_disk_device_t:s0";
const PRIVATE = /^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/;
const TIMEOUT_MS = 600_000;

/** Of a volume that takes seconds to copy. */
const BIG_BYTES = 64 * 1024 * 1024;

const folder = mkdtempSync("/var/tmp/svirt-power-");
let nfs: NfsServer;
let target: IscsiTarget;
/** Server that accepts connections and never answers. */
const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });

beforeAll(async () => {
  if (!(await isNodeUp())) return;
  mkdirSync(`${folder}/export/one`, { recursive: true });
  for (const name of ["one/a.img", "base.img", "san.img"])
    writeFileSync(`${folder}/export/${name}`, bootDisk("", { do: "halt" }));
  truncateSync(`${folder}/export/san.img`, 8 * 1024 * 1024);
  nfs = await serveNfs(`${folder}/export`);
  target = await serveIscsi(`${folder}/export/san.img`, { user: USER, password: PASSWORD });
}, 120_000);

afterAll(async () => {
  silent.stop(true);
  await target?.stop();
  await nfs?.stop();
  rmSync(folder, { recursive: true });
});

/**
 * Pools of every kind with a source outside the node's file systems: life-net, life-san and life-lv, on the
 * node's first spare disk. `services` starts what a distribution starts at boot.
 */
const scene = (): string => `
  ${LVM}
  ${ISCSI_TARGET}
  net=$here/net
  services() {
    modprobe -a nfsv4 iscsi_tcp sd_mod
    prepare_lvm
    start_iscsid
  }
  # define_net NAME FOLDER TARGET PORT
  define_net() {
    printf "<pool type='netfs'><name>%s</name><source><host name='10.0.2.2' port='%s'/><dir path='%s'/></source><target><path>%s</path></target></pool>" $1 $4 $2 $3 >$work/net.xml
    svirt pool-define $work/net.xml
  }
  define_pools() {
    define_net life-net / $net ${nfs.port}
    svirt pool-define-as life-san iscsi --source-host ${target.address} --source-dev ${target.name} --target /dev --auth-type chap --auth-username ${USER} --secret-usage life
    svirt pool-define-as life-lv logical --source-dev /dev/vdd --source-name life-vg
  }
  volume() {
    printf "<disk type='volume' device='%s'><driver name='qemu' type='raw'/><source pool='%s' volume='%s'/><target dev='%s' bus='%s'/></disk>" "$@"
  }
  guest_of_all() {
    guest life-m "$(disk $net/one/a.img vda)$(volume disk life-san unit:0:0:1 vdb virtio)$(volume disk life-lv one vdc virtio)$(volume cdrom life-net base.img hdc ide)"
  }
  san() { svirt vol-path unit:0:0:1 --pool life-san; }
  node_of() { readlink -f $1; }
  labels_of_disks() { for path in $net/one/a.img $net/base.img $(node_of $(san)) $(node_of /dev/life-vg/one); do label_of $path; echo; done; }
  mounts() { grep " $net" /proc/self/mountinfo || :; }
  claims() { find /var/lib/svirt/claims -type f ! -path '*/static/*'; }
  finish() {
    clean
    for pool in life-net life-san life-lv life-new life-late life-dir; do
      svirt pool-destroy $pool
      svirt pool-undefine $pool
    done
    lvm vgremove -f life-vg life-new
    for disk in /dev/vdd /dev/vde; do dd if=/dev/zero of=$disk bs=1M count=64; done
    end_iscsi
    end_lvm
  } >/dev/null 2>&1
`;

/** Does the work of a test, then removes its pools, whatever has become of it. */
async function andFinish(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    await onNode(`${scene()} finish || :`);
  }
}

function expectDone(notes: Notes, ...names: readonly string[]): void {
  for (const name of names) {
    const { code, err, out } = noteOf(notes, name);
    expect([name, err, code, code === 0 ? "" : out]).toEqual([name, "", 0, ""]);
  }
}

onTheNode(
  "a power failure under netfs, iscsi and logical pools leaves nothing, and all of them start again with the guest",
  () =>
    andFinish(async () => {
      const before = await onNode(`
    ${scene()}
    finish
    services
    note define define_pools
    note net svirt pool-start life-net --build
    note san svirt pool-start life-san
    wait_for san
    note lv svirt pool-start life-lv --build
    note create svirt vol-create-as life-lv one 8M
    note upload svirt vol-upload one $here/boot/halt --pool life-lv
    guest_of_all
    note labels labels_of_disks
    for pool in life-net life-san life-lv; do svirt pool-autostart $pool >/dev/null; done
    svirt autostart life-m >/dev/null
    sync
    note start svirt start life-m
    note during labels_of_disks
    note audit svirt audit
  `);
      expectDone(before, "define", "net", "san", "lv", "create", "upload", "start", "audit");
      expect(outOf(before, "labels")).toBe([CONTENT, CONTENT, DISK, DISK].join("\n"));
      const [own = "", content, ...disks] = outOf(before, "during").split("\n");
      expect(own).toMatch(PRIVATE);
      expect([content, ...disks]).toEqual([CONTENT, own, own]);
      await node(["reset"]);
      const after = await onNode(`
    ${scene()}
    # The start-up has run \`svirt recover --autostart\` before any of the services.
    note gone wait_gone life-m
    note left left life-m
    note claims claims
    note mounts mounts
    note active svirt pool-list --name
    note audit svirt audit
    services
    note recover svirt recover --autostart
    wait_for san
    note again svirt recover --autostart
    note pools svirt pool-list --name
    note state svirt domstate life-m
    note start svirt start life-m
    note during labels_of_disks
    note content cmp -n 512 $here/boot/halt /dev/life-vg/one
    note audit-during svirt audit
    note destroy svirt destroy life-m
    note labels labels_of_disks
    note end left life-m
    for pool in life-net life-san life-lv; do note stop-$pool svirt pool-destroy $pool; done
    note none mounts
    note sessions iscsiadm --mode session
    note audit-after svirt audit
  `);
      expectDone(after, "gone", "recover", "again", "audit", "audit-during", "destroy", "audit-after");
      expectDone(after, "stop-life-net", "stop-life-san", "stop-life-lv");
      for (const name of ["left", "claims", "end", "none"])
        expect([name, outOf(after, name)]).toEqual([name, ""]);
      // A pool of NFS needs no service. The guest's folder is not mounted any more.
      expect(outOf(after, "active")).toBe("life-net");
      expect(outOf(after, "mounts").split("\n")).toEqual([expect.stringContaining(`,context=${CONTENT},`)]);
      expect(outOf(after, "recover")).toBe(
        "Pool life-lv started\nPool life-san started\nDomain 'life-m' started",
      );
      expect(outOf(after, "again")).toBe("");
      expect(outOf(after, "pools")).toBe("life-lv\nlife-net\nlife-san");
      expect(outOf(after, "state")).toBe("running");
      expect(outOf(after, "during")).toBe(outOf(before, "during"));
      expect(noteOf(after, "content")).toMatchObject({ code: 0, out: "" });
      expect(outOf(after, "labels")).toBe(outOf(before, "labels"));
      expect(noteOf(after, "sessions").err).toContain("No active sessions");
    }),
  { timeoutMs: TIMEOUT_MS },
);

onTheNode(
  "a power failure while pools are started and built and a volume is made leaves nothing that the next call does not clear",
  () =>
    andFinish(async () => {
      const before = await onNode(`
    ${scene()}
    finish
    services
    note define define_pools
    note net svirt pool-start life-net --build
    svirt pool-define-as life-dir dir --target $here/dir >/dev/null
    note dir svirt pool-start life-dir --build
    head -c ${BIG_BYTES} /dev/urandom >$here/dir/big.raw
    svirt pool-define-as life-new logical --source-dev /dev/vde --source-name life-new >/dev/null
    note late define_net life-late /one $here/late ${silent.port}
    svirt pool-build life-late >/dev/null
    printf '<volume><name>copy.raw</name></volume>' >$here/copy.xml
    sync
    svirt pool-start life-late >/dev/null 2>&1 &
    svirt vol-create-from life-net $here/copy.xml big.raw --inputpool life-dir >/dev/null 2>&1 &
    copy=$!
    # Stopped, so that the power fails in the middle of it, however long the rest takes.
    is_made() { ls -A $net | grep -q '^.svirt-' && kill -STOP $copy; }
    note part wait_for is_made
    svirt pool-build life-new >/dev/null 2>&1 &
    svirt pool-start life-san >/dev/null 2>&1 &
    note names ls -A $net
  `);
      expectDone(before, "define", "net", "dir", "late", "part");
      expect(outOf(before, "names")).not.toContain("copy.raw");
      await node(["reset"]);
      const after = await onNode(`
    ${scene()}
    note recovered svirt recover
    note audit svirt audit
    note active svirt pool-list --name
    note mounts mounts
    services
    note net svirt pool-start life-net
    svirt pool-start life-dir >/dev/null
    note part ls -A $net
    note volumes svirt vol-list life-net
    note create svirt vol-create-from life-net $here/copy.xml big.raw --inputpool life-dir
    note created ls -A $net
    note same cmp $here/dir/big.raw $net/copy.raw
    note san svirt pool-start life-san
    wait_for san
    note list svirt vol-list life-san
    note new svirt pool-start life-new --build --overwrite
    note volume svirt vol-create-as life-new one 8M
    svirt pool-undefine life-late >/dev/null
    define_net life-late /one $here/late ${nfs.port} >/dev/null
    note late svirt pool-start life-late
    note all svirt pool-list --name
    note claims claims
    note audit-after svirt audit
  `);
      expectDone(after, "recovered", "audit", "net", "create", "san", "new", "volume", "late", "audit-after");
      for (const name of ["active", "mounts", "claims"])
        expect([name, outOf(after, name)]).toEqual([name, ""]);
      // The server keeps the part. It is no volume, and the next one that is made removes it.
      expect(outOf(after, "part")).toMatch(/^\.svirt-\S+\.volume$/m);
      expect(outOf(after, "part")).not.toContain("copy.raw");
      expect(outOf(after, "volumes")).not.toMatch(/svirt-|copy\.raw/);
      expect(outOf(after, "created").split("\n")).toEqual(["base.img", "copy.raw", "one", "san.img"]);
      expect(noteOf(after, "same")).toMatchObject({ code: 0, out: "" });
      expect(outOf(after, "list")).toContain("unit:0:0:1");
      expect(outOf(after, "all")).toBe("life-dir\nlife-late\nlife-net\nlife-new\nlife-san");
    }),
  { timeoutMs: TIMEOUT_MS },
);

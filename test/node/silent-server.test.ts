import { expect } from "bun:test";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { NFS_PORT, NFS_SERVER } from "./programs/nfs-server.ts";
import { bringPrograms, PROGRAMS } from "./programs/on-the-node.ts";

// An NFS server that does not answer for a while, as one that is off or beyond a broken cable. Its mount is a
// hard one.

const onTheNode = await onANode();
const CONTENT = "system_u:object_r:virt_content_t:s0";
const PRIVATE = /^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/;
const TIMEOUT_MS = 240_000;

bringPrograms();

/**
 * The pool life-net on an NFS export with the labels of OPTIONS, and a guest elsewhere. `within NAME SECONDS
 * COMMAND...` notes a command that is killed after that time, which is some times the stated one: the node is
 * slow.
 */
const SCENE = `
  ${PROGRAMS}
  ${NFS_SERVER}
  target=$here/target
  within() {
    within_name=$1
    shift
    note $within_name timeout -s KILL "$@"
  }
  go_away() {
    modprobe nf_tables
    nft 'table ip life_gone { chain in { type filter hook input priority 0; tcp dport ${NFS_PORT} drop; tcp sport ${NFS_PORT} drop; }; }'
  }
  come_back() { nft delete table ip life_gone; }
  mounts() { grep " $target" /proc/self/mountinfo || :; }
  elsewhere() {
    within $1-start 40 svirt start life-local
    within $1-destroy 40 svirt destroy life-local
  }
  begin() {
    clean
    prepare_export
    mkdir -p $here/export/one
    copy halt export/one/a.img local.img
    serve 127.0.0.1 $1
    svirt pool-define-as life-net netfs --source-host 127.0.0.1 --source-path / --target $target >/dev/null
    note pool svirt pool-start life-net --build
    guest life-net "$(disk $target/one/a.img)"
    guest life-local "$(disk $here/local.img)"
  }
  finish() {
    clean
    svirt pool-destroy life-net >/dev/null 2>&1
    svirt pool-undefine life-net >/dev/null 2>&1
    serve_no_more
  }
`;

function expectDone(notes: Notes, ...names: readonly string[]): void {
  for (const name of names) expect([name, noteOf(notes, name).code]).toEqual([name, 0]);
}

onTheNode(
  "a server that goes away delays other guests by seconds, and its guest ends when it is back",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    begin ,security_label
    disk_label() { label_of $here/export/one/a.img; }
    note before disk_label
    note start svirt start life-net
    pid=$(pid_of life-net)
    note during disk_label
    go_away
    within audit 20 svirt audit
    within list 15 svirt list
    within pools 15 svirt pool-list
    within info 20 svirt pool-info life-net
    within busy 20 svirt pool-destroy life-net
    svirt destroy life-net >$here/destroy.log 2>&1 &
    destroying=$!
    elsewhere while
    wait $destroying
    note destroy cat $here/destroy.log
    within ended 15 svirt list
    elsewhere after
    note held disk_label
    come_back
    # The kernel sends again after a pause that is as long as the silence was.
    wait_for is_dead $pid || wait_for is_dead $pid
    within recover 60 svirt recover
    note trace left life-net
    note restored disk_label
    note again svirt pool-info life-net
    note restart svirt start life-net
    svirt destroy life-net >/dev/null
    note audit-after svirt audit
    note free svirt pool-destroy life-net
    finish
  `);
    expectDone(notes, "pool", "start", "list", "pools", "info", "ended", "recover", "again", "restart");
    expectDone(notes, "while-start", "while-destroy", "after-start", "after-destroy", "audit-after", "free");
    expect(outOf(notes, "during")).toMatch(PRIVATE);
    expect(noteOf(notes, "audit").out).toContain("target/one/a.img is not checked: the server of");
    expect(outOf(notes, "info")).toMatch(/State: +inaccessible/);
    expect([noteOf(notes, "busy").code, noteOf(notes, "busy").err]).toEqual([
      5,
      expect.stringContaining("the guest life-net uses a volume"),
    ]);
    expect(outOf(notes, "destroy")).toContain("the kernel does not end process");
    // Its label stays while its QEMU has the file.
    expect(outOf(notes, "held")).toBe(outOf(notes, "during"));
    expect(noteOf(notes, "trace").out).toBe("");
    expect(outOf(notes, "restored")).toBe(outOf(notes, "before"));
    expect(outOf(notes, "again")).toMatch(/State: +running/);
  },
  { timeoutMs: TIMEOUT_MS },
);

onTheNode(
  "a pool without guests is unmounted while its server is away, and mounted when it is back",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    begin
    go_away
    within info 20 svirt pool-info life-net
    within details 20 svirt pool-list --details
    within volumes 20 svirt vol-list life-net
    within volume 20 svirt vol-path $target/one/a.img
    within guest 20 svirt start life-net
    svirt start life-local >/dev/null
    within disk 20 svirt attach-disk life-local $target/one/a.img vdb
    svirt destroy life-local >/dev/null
    within audit 20 svirt audit
    within recover 20 svirt recover
    elsewhere while
    within destroy 60 svirt pool-destroy life-net
    note none mounts
    come_back
    note back svirt pool-start life-net
    note run svirt start life-net
    note label label_of $target/one/a.img
    note content label_of $target
    finish
  `);
    expectDone(notes, "pool", "info", "details", "while-start", "while-destroy", "destroy", "back", "run");
    expect(outOf(notes, "info")).toMatch(/State: +inaccessible/);
    expect(outOf(notes, "details")).toMatch(/life-net +inaccessible/);
    for (const name of ["volumes", "volume", "guest", "disk"])
      expect([noteOf(notes, name).code, noteOf(notes, name).err]).toEqual([
        6,
        expect.stringMatching(/the server of \S+\/target has not answered within 2 seconds/),
      ]);
    const notChecked = /target\/one\/a\.img is not checked: the server of \S+\/target does not answer/;
    expect([noteOf(notes, "audit").code, noteOf(notes, "audit").out]).toEqual([
      1,
      expect.stringMatching(notChecked),
    ]);
    expect([noteOf(notes, "recover").code, noteOf(notes, "recover").err]).toEqual([
      0,
      expect.stringMatching(notChecked),
    ]);
    expect(outOf(notes, "none")).toBe("");
    expect(outOf(notes, "label")).toMatch(PRIVATE);
    expect(outOf(notes, "content")).toBe(CONTENT);
  },
  { timeoutMs: TIMEOUT_MS },
);

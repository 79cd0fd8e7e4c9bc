import { expect } from "bun:test";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { IQN, ISCSI_TARGET, USER } from "./programs/iscsi-target.ts";

// An iSCSI target that does not answer for a while, as one that is off or beyond a broken cable. The kernel
// notices it by its pings after ten seconds, and then keeps what is read and written for two minutes.

const onTheNode = await onANode();
const DEFAULT = "system_u:object_r:fixed_disk_device_t:s0";
const PRIVATE = /^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/;
const TIMEOUT_MS = 240_000;

/**
 * A pool of the disks `one` and `two`, a guest with each, and one elsewhere. `within NAME SECONDS COMMAND...`
 * notes a command that is killed after that time, which is some times the stated one: the node is slow.
 */
const SCENE = `
  clean
  ${ISCSI_TARGET}
  within() {
    within_name=$1
    shift
    note $within_name timeout -s KILL "$@"
  }
  go_away() {
    modprobe nf_tables
    nft 'table ip life_gone { chain in { type filter hook input priority 0; tcp dport 3260 drop; tcp sport 3260 drop; }; }'
  }
  come_back() { nft delete table ip life_gone; }
  is_in_state() { [ "$(cat /sys/class/iscsi_session/session*/state)" = $1 ]; }
  elsewhere() {
    within $1-start 40 svirt start life-local
    within $1-destroy 40 svirt destroy life-local
  }
  volume() {
    printf "<disk type='volume' device='disk'><driver name='qemu' type='raw' cache='none'/><source pool='life-san' volume='unit:0:0:%s'/><target dev='vda' bus='virtio'/></disk>" $1
  }
  copy halt one.img
  mkdir $here/local
  copy halt local/local.img
  serve_iscsi one two
  svirt pool-define-as life-san iscsi --source-host 127.0.0.1 --source-dev ${IQN} --target /dev --auth-type chap --auth-username ${USER} --secret-usage life >/dev/null
  note pool svirt pool-start life-san
  wait_for ls /dev/sda /dev/sdb
  disk=$(svirt vol-path unit:0:0:1 --pool life-san)
  guest life-i "$(volume 1)"
  guest life-j "$(volume 2)"
  guest life-local "$(disk $here/local/local.img)"
  finish() {
    for name in life-i life-j life-local; do svirt destroy $name; done >/dev/null 2>&1
    clean
    svirt pool-destroy life-san >/dev/null 2>&1
    svirt pool-undefine life-san >/dev/null 2>&1
    end_iscsi 2>/dev/null
    clean
  }
`;

function expectDone(notes: Notes, ...names: readonly string[]): void {
  for (const name of names) expect([name, noteOf(notes, name).code]).toEqual([name, 0]);
}

onTheNode(
  "a target that goes away delays no guest elsewhere, and its guest ends when it is back",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    note start svirt start life-i
    note during label_of $disk
    go_away
    # QEMU waits for it in the kernel.
    svirt qemu-monitor-command life-i --hmp 'qemu-io libvirt-1-storage "aio_read 4096 512"' >/dev/null 2>&1 &
    note lost wait_for is_in_state FAILED
    within info 20 svirt pool-info life-san
    within details 20 svirt pool-list --details
    within read 20 svirt vol-dumpxml unit:0:0:2 --pool life-san
    within other 20 svirt start life-j
    within busy 20 svirt pool-destroy life-san
    svirt destroy life-i >$here/destroy.log 2>&1 &
    destroying=$!
    elsewhere while
    wait $destroying
    note destroy cat $here/destroy.log
    note held label_of $disk
    within list 15 svirt list
    within audit 20 svirt audit
    come_back
    note back wait_for is_in_state LOGGED_IN
    within recover 60 svirt recover
    note trace left life-i
    note restored label_of $disk
    note again svirt pool-info life-san
    note run svirt start life-j
    note end svirt destroy life-j
    note audit-after svirt audit
    note free svirt pool-destroy life-san
    finish
  `);
    expectDone(notes, "pool", "start", "lost", "info", "details", "while-start", "while-destroy", "list");
    expectDone(notes, "back", "recover", "again", "run", "end", "audit-after", "free");
    expect(outOf(notes, "during")).toMatch(PRIVATE);
    expect(outOf(notes, "info")).toMatch(/State: +inaccessible/);
    expect(outOf(notes, "details")).toMatch(/life-san +inaccessible/);
    for (const name of ["read", "other"])
      expect([noteOf(notes, name).code, noteOf(notes, name).err]).toEqual([
        6,
        expect.stringContaining(`Cannot use the iSCSI target ${IQN}: it does not answer`),
      ]);
    expect([noteOf(notes, "busy").code, noteOf(notes, "busy").err]).toEqual([
      5,
      expect.stringContaining("the guest life-i uses"),
    ]);
    expect(outOf(notes, "destroy")).toContain("the kernel does not end process");
    // Its label stays while its QEMU has the disk.
    expect(outOf(notes, "held")).toBe(outOf(notes, "during"));
    expect(noteOf(notes, "audit").out).toContain("life-i");
    expect(noteOf(notes, "trace").out).toBe("");
    expect(outOf(notes, "restored")).toBe(DEFAULT);
    expect(outOf(notes, "again")).toMatch(/State: +running/);
  },
  { timeoutMs: TIMEOUT_MS },
);

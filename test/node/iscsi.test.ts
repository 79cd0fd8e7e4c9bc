import { expect } from "bun:test";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { IQN, ISCSI_TARGET, PASSWORD, USER } from "./programs/iscsi-target.ts";
import { bringPrograms } from "./programs/on-the-node.ts";
import { UDEVD } from "./programs/udevd.ts";

// Pools of an iSCSI target with a password, by Debian's open-iscsi and the kernel's target.

const onTheNode = await onANode();
const DEFAULT = "system_u:object_r:fixed_disk_device_t:s0";
const PRIVATE = /^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/;
const TIMEOUT_MS = 180_000;
const SECRET = "55806c7d-8e93-456f-829b-607d8c198367";

bringPrograms();

/** A pool of two disks, `one` and `two`. */
const SCENE = `
  clean
  ${ISCSI_TARGET}
  remove() {
    svirt destroy life-i >/dev/null 2>&1
    svirt undefine life-i >/dev/null 2>&1
    svirt pool-destroy life-san >/dev/null 2>&1
    svirt pool-undefine life-san >/dev/null 2>&1
  }
  finish() {
    remove
    end_iscsi
    clean
  }
  define_pool() {
    svirt pool-define-as life-san iscsi --source-host 127.0.0.1 --source-dev ${IQN} --target $1 --auth-type chap --auth-username ${USER} --secret-usage life
  }
`;

function expectDone(notes: Notes, ...names: readonly string[]): void {
  for (const name of names)
    expect([name, noteOf(notes, name).err, noteOf(notes, name).code]).toEqual([name, "", 0]);
}

onTheNode(
  "a pool logs in with the password that open-iscsi has, and a guest has one of its disks",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    copy halt one.img
    serve_iscsi one two
    note context context_of $(pidof iscsid | cut -d ' ' -f 1)
    note define define_pool /dev
    note start svirt pool-start life-san
    wait_for ls /dev/sda /dev/sdb
    disk=$(svirt vol-path unit:0:0:1 --pool life-san)
    other=$(svirt vol-path unit:0:0:2 --pool life-san)
    note list svirt vol-list life-san
    guest life-i "<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='life-san' volume='unit:0:0:1'/><target dev='vda' bus='virtio'/></disk>"
    note run svirt start life-i
    note during label_of $disk
    note own label_in_xml life-i imagelabel
    note other label_of $other
    note busy svirt pool-destroy life-san
    note audit svirt audit
    svirt destroy life-i >/dev/null
    note after label_of $disk
    note trace left life-i
    note destroy svirt pool-destroy life-san
    note sessions iscsiadm --mode session
    iscsiadm --mode node --targetname ${IQN} --op update --name node.session.auth.password --value another-password
    began=$(date +%s)
    note refused svirt pool-start life-san
    note seconds echo $(($(date +%s) - began))
    note none iscsiadm --mode session
    note inactive svirt pool-list --name
    finish
  `);
    expect(outOf(notes, "context")).toBe("system_u:system_r:iscsid_t:s0");
    expectDone(notes, "define", "start", "run", "audit", "destroy");
    expect(outOf(notes, "list")).toMatch(/unit:0:0:1 +\/dev\/sd[ab]\n +unit:0:0:2 +\/dev\/sd[ab]/);
    expect(outOf(notes, "during")).toMatch(PRIVATE);
    expect(outOf(notes, "during")).toBe(outOf(notes, "own"));
    expect([outOf(notes, "other"), outOf(notes, "after")]).toEqual([DEFAULT, DEFAULT]);
    expect([noteOf(notes, "busy").code, noteOf(notes, "busy").err]).toEqual([
      5,
      expect.stringContaining("the guest life-i uses"),
    ]);
    expect(noteOf(notes, "trace").out).toBe("");
    for (const name of ["sessions", "none"]) expect(noteOf(notes, name).err).toContain("No active sessions");
    expect([noteOf(notes, "refused").code, noteOf(notes, "refused").err]).toEqual([
      1,
      expect.stringContaining(`${IQN}: iSCSI login failed due to authorization failure`),
    ]);
    expect(Number(outOf(notes, "seconds"))).toBeLessThan(30);
    expect(outOf(notes, "inactive")).toBe("");
  },
  { timeoutMs: TIMEOUT_MS },
);

onTheNode(
  "a pool logs in with its secret, which no guest and no argument has",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    facts_of() { for file; do echo "$(stat -c '%a %U' "$file") $(label_of "$file")"; done; }
    serve_iscsi one
    # open-iscsi has no password of its own.
    sed -i '/^node.session.auth/d' /etc/iscsi/iscsid.conf
    echo "<secret private='yes'><uuid>${SECRET}</uuid><usage type='iscsi'><target>life</target></usage></secret>" >$here/secret.xml
    note secret svirt secret-define $here/secret.xml
    define_pool /dev
    note unset svirt pool-start life-san
    note set sh -c "printf ${PASSWORD} | svirt secret-set-value ${SECRET} --plain --file -"
    note hidden svirt secret-get-value ${SECRET}
    note files facts_of /etc/svirt/secrets/${SECRET}.xml /etc/svirt/secrets/${SECRET}.base64
    note start svirt pool-start life-san
    note record facts_of /var/lib/iscsi/nodes/${IQN}/127.0.0.1,3260,1/default
    note drafts find /var/lib/iscsi /etc/svirt/secrets -name '*.new' -o -name '.svirt*'
    note sessions iscsiadm --mode session
    note destroy svirt pool-destroy life-san
    note undefine svirt secret-undefine ${SECRET}
    note left ls /etc/svirt/secrets
    finish
  `);
    expectDone(notes, "secret", "set", "files", "start", "record", "drafts", "destroy", "undefine", "left");
    expect(noteOf(notes, "unset").err).toContain("does not have a value");
    expect(noteOf(notes, "hidden").err).toContain("secret is private");
    expect(outOf(notes, "files").split("\n")).toEqual(
      Array(2).fill("600 root system_u:object_r:svirt_etc_t:s0"),
    );
    expect(outOf(notes, "record")).toBe("600 root system_u:object_r:iscsi_var_lib_t:s0");
    expect(outOf(notes, "sessions")).toContain(IQN);
    expect([outOf(notes, "drafts"), outOf(notes, "left")]).toEqual(["", ""]);
  },
  { timeoutMs: TIMEOUT_MS },
);

onTheNode(
  "a disk is the same one when the target gives its LUNs other numbers, before a start and under a guest",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    ${UDEVD}
    mkdir -p /run/udev/rules.d
    setfattr -n security.selinux -v system_u:object_r:udev_rules_t:s0 /run/udev/rules.d
    echo 'SUBSYSTEM=="block", KERNEL=="sd*", ATTRS{wwid}=="?*", SYMLINK+="disk/by-id/wwn-$attr{wwid}"' >/run/udev/rules.d/60-names.rules
    later
    copy halt one.img
    serve_iscsi one two
    define_pool /dev/disk/by-id
    svirt pool-start life-san
    # The kernel names disks in any order.
    lun_of() { readlink -f /sys/class/block/\${1##*/}/device | sed 's/.*://'; }
    id_of() { for name in /dev/disk/by-id/wwn-*; do [ "$(lun_of $(readlink -f $name))" != $1 ] || echo $name; done; }
    are_there() { [ "$(ls -d /dev/disk/by-id/wwn-* 2>/dev/null | wc -l)" = $1 ]; }
    wait_for are_there 2
    one=$(id_of 1)
    two=$(id_of 2)
    luns() { for name in $one $two; do lun_of $(readlink -f $name); done; }
    labels_of_disks() { for name in $one $two; do label_of $(readlink -f $name); echo; done; }
    guest life-i "$(block $one vda)"
    note defined luns
    svirt pool-destroy life-san
    # udevd removes the names after the disks are gone.
    wait_for are_there 0
    order_luns two one
    svirt pool-start life-san
    wait_for are_there 2
    note started luns
    note run svirt start life-i
    note during labels_of_disks
    note files ls -l /proc/$(pid_of life-i)/fd
    note disks sh -c "readlink -f $one; readlink -f $two"
    # The other disk goes and comes back, which is an event of udevd for each of them.
    gone=$(readlink -f $two)
    echo 1 >/sys/block/\${gone##*/}/device/delete
    tool udevadm settle
    for host in /sys/class/iscsi_host/host*; do echo '- - -' >/sys/class/scsi_host/\${host##*/}/scan; done
    wait_for are_there 2
    later
    tool udevadm trigger --action=add --settle $(readlink -f $one) $(readlink -f $two)
    note again labels_of_disks
    note snapshot svirt snapshot-create-as life-i s1 --disk-only --no-metadata --diskspec vda,file=$here/top.qcow2
    note backing qemu-img info -U --output=json $here/top.qcow2
    note layered labels_of_disks
    note destroy svirt destroy life-i
    note after labels_of_disks
    note trace left life-i
    note rules ls /run/udev/rules.d
    finish
    rm -f /run/udev/rules.d/60-names.rules
    end_udevd
  `);
    expect([outOf(notes, "defined"), outOf(notes, "started")]).toEqual(["1\n2", "2\n1"]);
    expectDone(notes, "run", "snapshot", "destroy");
    const [own, other] = outOf(notes, "during").split("\n");
    expect(own).toMatch(PRIVATE);
    expect(other).toBe(DEFAULT);
    const [ownDisk, otherDisk] = outOf(notes, "disks").split("\n");
    expect(outOf(notes, "files")).toContain(`-> ${ownDisk}\n`);
    expect(outOf(notes, "files")).not.toContain(`-> ${otherDisk}\n`);
    expect(outOf(notes, "again")).toBe(outOf(notes, "during"));
    expect(outOf(notes, "backing")).toContain('"backing-filename": "/dev/disk/by-id/wwn-');
    expect(outOf(notes, "layered").split("\n")[1]).toBe(DEFAULT);
    expect(outOf(notes, "after")).toBe(`${DEFAULT}\n${DEFAULT}`);
    expect(noteOf(notes, "trace").out).toBe("");
    expect(outOf(notes, "rules")).toBe("60-names.rules");
  },
  { timeoutMs: TIMEOUT_MS },
);

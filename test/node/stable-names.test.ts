import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { bringPrograms } from "./programs/on-the-node.ts";
import { UDEVD } from "./programs/udevd.ts";

const onTheNode = await onANode();
const DEFAULT = "system_u:object_r:fixed_disk_device_t:s0";
const PRIVATE = /^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/;

bringPrograms();

/**
 * Two disks of two SCSI hosts, `one` and `two`, each with a name below /dev/disk/by-id that udevd makes of
 * its identifier.
 */
const DISKS = scene("per_host_store=1");

/** The same, by scsi_debug's parameters. */
function scene(parameters: string): string {
  return `
  ${UDEVD}
  mkdir -p /run/udev/rules.d
  setfattr -n security.selinux -v system_u:object_r:udev_rules_t:s0 /run/udev/rules.d
  echo 'SUBSYSTEM=="block", KERNEL=="sd*", ATTRS{wwid}=="?*", SYMLINK+="disk/by-id/wwn-$attr{wwid}"' >/run/udev/rules.d/60-names.rules
  later
  modprobe sd_mod
  modprobe scsi_debug add_host=2 dev_size_mb=8 ${parameters}
  one=$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter0/host*)
  two=$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter1/host*)
  unit_of() { echo /sys/class/scsi_host/$1/device/target*/*:*:*:*; }
  name_of() { echo /dev/$(ls $(unit_of $1)/block); }
  id_of() { echo /dev/disk/by-id/wwn-$(cat $(unit_of $1)/wwid); }
  is_there() { [ "$(readlink -f $(id_of $1))" = "$(name_of $1)" ]; }
  detach() {
    for gone; do echo 1 >$(unit_of $gone)/delete; done
    tool udevadm settle
  }
  attach() { echo '- - -' >/sys/class/scsi_host/$1/scan; wait_for is_there $1; }
  names() { echo $(name_of $one) $(name_of $two); }
  labels_of_disks() { for host in $one $two; do label_of $(name_of $host); echo; done; }
  wait_for test -e $(id_of $one)
  wait_for test -e $(id_of $two)
  names=$(names)
  id=$(id_of $one)
  end() {
    svirt destroy life-a >/dev/null 2>&1
    svirt undefine life-a >/dev/null 2>&1
    tool udevadm settle
    rmmod scsi_debug
    rm -f /run/udev/rules.d/60-names.rules
    end_udevd
  }
`;
}

onTheNode("a disk's stable name leads to that disk, whatever the kernel calls it today", async () => {
  const notes = await onNode(`
    ${DISKS}
    cat $here/boot/halt >$id
    guest life-a "$(block $id vda)"
    note first names
    detach $one $two
    attach $two
    attach $one
    note swapped names
    note start svirt start life-a
    note during labels_of_disks
    note files ls -l /proc/$(pid_of life-a)/fd
    note rules sh -c 'cat /run/udev/rules.d/99-svirt-*'
    detach $two
    attach $two
    later
    tool udevadm trigger --action=add --settle $(name_of $one) $(name_of $two)
    note again labels_of_disks
    note snapshot svirt snapshot-create-as life-a s1 --disk-only --no-metadata --diskspec vda,file=$here/top.qcow2
    note backing qemu-img info -U --output=json $here/top.qcow2
    note layered labels_of_disks
    note xml svirt dumpxml life-a
    note destroy svirt destroy life-a
    note off labels_of_disks
    later
    detach $one $two
    attach $one
    attach $two
    note back names
    note restart svirt start life-a
    note below labels_of_disks
    svirt destroy life-a
    note after labels_of_disks
    note left left life-a
    end
  `);
  const [one, two] = outOf(notes, "first").split(" ");
  expect(outOf(notes, "swapped")).toBe(`${two} ${one}`);
  expect([noteOf(notes, "start").code, noteOf(notes, "start").err]).toEqual([0, ""]);
  const [own, other] = outOf(notes, "during").split("\n");
  expect(own).toMatch(PRIVATE);
  expect(other).toBe(DEFAULT);
  expect(outOf(notes, "files")).toContain(`-> ${two}\n`);
  expect(outOf(notes, "files")).not.toContain(`-> ${one}\n`);
  expect(outOf(notes, "rules").match(/SECLABEL/g)).toHaveLength(1);
  expect(outOf(notes, "again")).toBe(outOf(notes, "during"));
  expect([noteOf(notes, "snapshot").code, noteOf(notes, "snapshot").err]).toEqual([0, ""]);
  // A name that the kernel gave would lead to the other disk tomorrow.
  expect(outOf(notes, "backing")).toContain('"backing-filename": "/dev/disk/by-id/wwn-');
  expect(outOf(notes, "layered").split("\n")[1]).toBe(DEFAULT);
  // Below the top, live XML has the names of today.
  expect(outOf(notes, "xml")).toContain(`<source dev='${two}'/>`);
  expect([noteOf(notes, "destroy").code, noteOf(notes, "destroy").err]).toEqual([0, ""]);
  expect(outOf(notes, "off")).toBe(`${DEFAULT}\n${DEFAULT}`);
  expect(outOf(notes, "back")).toBe(`${one} ${two}`);
  expect([noteOf(notes, "restart").code, noteOf(notes, "restart").err]).toEqual([0, ""]);
  expect(outOf(notes, "below").split("\n")[0]).not.toBe(DEFAULT);
  expect(outOf(notes, "below").split("\n")[1]).toBe(DEFAULT);
  expect(outOf(notes, "after")).toBe(`${DEFAULT}\n${DEFAULT}`);
  expect(noteOf(notes, "left").out).toBe("");
});

onTheNode("a disk that goes away under a guest and comes back under another name is nobody's", async () => {
  const notes = await onNode(`
    ${DISKS}
    cat $here/boot/halt >$id
    guest life-a "$(block $id vda)"
    svirt start life-a >/dev/null
    note first names
    detach $one
    note missing svirt audit
    note second svirt start life-a
    attach $one
    note names names
    note labels labels_of_disks
    note destroy svirt destroy life-a
    note after labels_of_disks
    note left left life-a
    detach $one
    note absent svirt start life-a
    attach $one
    note start svirt start life-a
    note during labels_of_disks
    svirt destroy life-a >/dev/null
    end
  `);
  const [one] = outOf(notes, "first").split(" ");
  expect(outOf(notes, "names")).not.toContain(`${one} `);
  expect(outOf(notes, "labels")).toBe(`${DEFAULT}\n${DEFAULT}`);
  expect([noteOf(notes, "destroy").code, noteOf(notes, "destroy").err]).toEqual([0, ""]);
  expect(outOf(notes, "after")).toBe(`${DEFAULT}\n${DEFAULT}`);
  expect(noteOf(notes, "left").out).toBe("");
  expect(noteOf(notes, "absent").code).not.toBe(0);
  expect(noteOf(notes, "absent").err).toContain("/dev/disk/by-id/wwn-");
  expect([noteOf(notes, "start").code, noteOf(notes, "start").err]).toEqual([0, ""]);
  expect(outOf(notes, "during").split("\n")[0]).toMatch(PRIVATE);
  expect(outOf(notes, "during").split("\n")[1]).toBe(DEFAULT);
});

onTheNode("a disk by two paths is one disk, and the paths are no guest's", async () => {
  const notes = await onNode(`
    ${scene("vpd_use_hostno=0")}
    modprobe -a dm_mod dm_multipath dm_round_robin
    sectors=$(cat /sys/class/block/$(basename $(name_of $one))/size)
    numbers() { for host in $one $two; do printf '%s 1 ' $(cat /sys/class/block/$(basename $(name_of $host))/dev); done; }
    tool dmsetup create --noudevsync --noudevrules -u mpath-3test mpatha --table "0 $sectors multipath 0 0 1 1 round-robin 0 2 1 $(numbers)"
    # As udev's rules for device-mapper do: without them dmsetup makes a node.
    # udevd gives a new device its label.
    tool udevadm settle
    dm=/dev/$(basename $(ls -d /sys/class/block/dm-*))
    ln -sfn ../$(basename $dm) /dev/mapper/mpatha
    cat $here/boot/halt >$dm
    note paths names
    note pool svirt pool-create-as life-pool mpath --target /dev/mapper
    note list svirt vol-list life-pool
    volume=$(svirt vol-list life-pool | sed -n 's/^ *\\(dm-[0-9]*\\) .*/\\1/p')
    guest life-a "<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='life-pool' volume='$volume'/><target dev='vda' bus='virtio'/></disk>"
    note start svirt start life-a
    note map label_of $dm
    note during labels_of_disks
    guest life-b "$(block $(name_of $one) vda)"
    note path svirt start life-b
    guest life-b "$(block /dev/mapper/mpatha vda)"
    note name svirt start life-b
    tool dmsetup message mpatha 0 "fail_path $(cat /sys/class/block/$(basename $(name_of $one))/dev)"
    note failed label_of $dm
    note state svirt domstate life-a
    note destroy svirt destroy life-a
    note after label_of $dm
    note left left life-a
    svirt undefine life-b
    svirt pool-destroy life-pool
    tool dmsetup remove --noudevsync mpatha
    rmmod dm_round_robin dm_multipath dm_mod
    end
  `);
  expect([noteOf(notes, "pool").code, noteOf(notes, "pool").err]).toEqual([0, ""]);
  expect(outOf(notes, "list")).toMatch(/dm-\d+ +\/dev\/mapper\/mpatha/);
  expect([noteOf(notes, "start").code, noteOf(notes, "start").err]).toEqual([0, ""]);
  expect(outOf(notes, "map")).toMatch(PRIVATE);
  expect(outOf(notes, "during")).toBe(`${DEFAULT}\n${DEFAULT}`);
  expect(noteOf(notes, "name").code).not.toBe(0);
  expect(noteOf(notes, "path").code).not.toBe(0);
  expect(outOf(notes, "failed")).toBe(outOf(notes, "map"));
  expect(outOf(notes, "state")).toBe("running");
  expect([noteOf(notes, "destroy").code, noteOf(notes, "destroy").err]).toEqual([0, ""]);
  expect(outOf(notes, "after")).toBe(DEFAULT);
  expect(noteOf(notes, "left").out).toBe("");
});

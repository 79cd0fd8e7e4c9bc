import { expect } from "bun:test";
import { LVM_SCENE } from "./harness/lvm-scene.ts";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

// Volumes that are devices and get the data of images, and disks that the host reaches by two names.

const onTheNode = await onANode();

function expectDone(notes: Notes, ...names: readonly string[]): void {
  for (const name of names)
    expect([name, noteOf(notes, name).err, noteOf(notes, name).code]).toEqual([name, "", 0]);
}

onTheNode(
  "a logical volume gets the data of a qcow2 image, and an interrupted copy leaves none",
  async () => {
    const notes = await onNode(`
    ${LVM_SCENE}
    svirt pool-destroy life-pool >/dev/null 2>&1 || :
    svirt pool-undefine life-pool >/dev/null 2>&1 || :
    svirt pool-define-as life-lv logical --source-dev $loop --source-name life-vg >/dev/null
    svirt pool-start life-lv --build >/dev/null
    svirt pool-define-as life-pool dir --target $here/pools/one >/dev/null
    svirt pool-start life-pool --build >/dev/null
    svirt vol-create-as life-pool base.raw 8M --format raw >/dev/null
    dd if=$here/boot/halt of=$here/pools/one/base.raw conv=notrunc 2>/dev/null
    printf "<volume><name>disk.qcow2</name><target><format type='qcow2'/></target></volume>" >$here/image.xml
    svirt vol-create-from life-pool $here/image.xml base.raw --inputpool life-pool >/dev/null
    printf "<volume><name>one</name></volume>" >$here/one.xml
    note made svirt vol-create-from life-lv $here/one.xml disk.qcow2 --inputpool life-pool
    note equal qemu-img compare -f qcow2 -F raw $here/pools/one/disk.qcow2 /dev/life-vg/one
    note label label_of "$(readlink -f /dev/life-vg/one)"
    note clone svirt vol-clone one two --pool life-lv
    note same cmp /dev/life-vg/one /dev/life-vg/two
    for delay in 0.05 0.1 0.15 0.2 0.3; do
      svirt vol-clone one three --pool life-lv >/dev/null 2>&1 & copier=$!
      sleep $delay
      kill -9 $copier 2>/dev/null || :
      wait $copier 2>/dev/null || :
      wait_for sh -c '! pidof lvm'
      if svirt vol-list life-lv | grep -q three; then
        cmp /dev/life-vg/one /dev/life-vg/three || echo "$delay: in part" >>$here/partial
        svirt vol-delete three --pool life-lv >/dev/null
      fi
    done
    note partial sh -c "cat $here/partial 2>/dev/null || :"
    note again svirt vol-clone one three --pool life-lv
    note names sh -c "lvm lvs --noheadings -o lv_name life-vg | tr -d ' '"
    for volume in three two one; do svirt vol-delete $volume --pool life-lv >/dev/null; done
    svirt pool-destroy life-pool >/dev/null
    svirt pool-undefine life-pool >/dev/null
    finish
  `);
    expectDone(notes, "made", "equal", "clone", "same", "again");
    expect(outOf(notes, "label")).toBe("system_u:object_r:fixed_disk_device_t:s0");
    expect(outOf(notes, "partial")).toBe("");
    expect(outOf(notes, "names").split("\n").sort()).toEqual(["one", "three", "two"]);
  },
  { timeoutMs: 180_000 },
);

onTheNode(
  "a disk with two names is given to one guest only",
  async () => {
    // Both hosts show one logical unit. Documentation of scsi_debug, vpd_use_hostno
    const notes = await onNode(`
    clean
    modprobe -a sd_mod
    modprobe scsi_debug dev_size_mb=8 add_host=2 vpd_use_hostno=0
    wait_for has_scsi_disks 2
    names=$(for unit in /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*:*:*:*; do ls /sys/bus/scsi/devices/$(basename $unit)/block; done)
    set -- $names
    note units sh -c "cat /sys/block/$1/device/wwid /sys/block/$2/device/wwid | sort -u | wc -l"
    disk() { printf "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/%s'/><target dev='vda' bus='virtio'/></disk>" "$1"; }
    guest life-a "$(disk $1)"
    guest life-b "$(disk $2)"
    note one svirt start life-a
    note other svirt start life-b
    svirt destroy life-a >/dev/null
    note then svirt start life-b
    svirt destroy life-b >/dev/null
    for name in life-a life-b; do svirt undefine $name >/dev/null; done
    rmmod scsi_debug
    clean
  `);
    expect(outOf(notes, "units")).toBe("1");
    expectDone(notes, "one", "then");
    expect(noteOf(notes, "other").code).toBe(5);
    expect(noteOf(notes, "other").err).toMatch(/the guest life-a uses its other path \/dev\/sd/);
  },
  { timeoutMs: 120_000 },
);

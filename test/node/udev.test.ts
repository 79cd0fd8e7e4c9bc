import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { bringPrograms } from "./programs/on-the-node.ts";
import { UDEVD } from "./programs/udevd.ts";

const onTheNode = await onANode();
const DEFAULT = "system_u:object_r:fixed_disk_device_t:s0";

bringPrograms();

onTheNode(
  "udevd labels no device node of a running guest: a disk, a loop device, device-mapper",
  async () => {
    const notes = await onNode(`
    ${UDEVD}
    dd if=/dev/zero of=$here/loop.img bs=1M count=1 2>/dev/null
    losetup /dev/loop7 $here/loop.img
    modprobe dm_mod
    tool dmsetup create --noudevsync --noudevrules svirt-test --table '0 2048 linear /dev/vde 0'
    dm=/dev/dm-0
    ln -sf ../../vdd /dev/disk/by-id/stable
    trigger /dev/vdd /dev/vde /dev/loop7 $dm
    note before device_labels /dev/vdd /dev/loop7 $dm
    link() { stat -c '%N %Z' /dev/disk/by-id/stable; /usr/bin/getfattr -h -d -m - --absolute-names /dev/disk/by-id/stable; }
    note link-before link
    guest life-a "$(block /dev/disk/by-id/stable vda)$(block /dev/loop7 vdb)$(block $dm vdc)"
    note plan svirt plan life-a
    note start svirt start life-a
    note rules sh -c 'cat /run/udev/rules.d/*.rules'
    note verify tool udevadm verify --no-summary /run/udev/rules.d/99-svirt-*.rules
    note during device_labels /dev/vdd /dev/loop7 $dm
    later
    setfattr -n security.selinux -v system_u:object_r:svirt_image_t:s0:c1,c2 /dev/vde
    trigger /dev/vdd /dev/vde /dev/loop7 $dm
    note still device_labels /dev/vdd /dev/loop7 $dm
    note control device_labels /dev/vde
    note link-still link
    note audit svirt audit
    note destroy svirt destroy life-a
    note left sh -c 'ls /run/udev/rules.d'
    note after device_labels /dev/vdd /dev/loop7 $dm
    later
    trigger /dev/vdd /dev/loop7 $dm
    note last device_labels /dev/vdd /dev/loop7 $dm
    tool dmsetup remove --noudevsync svirt-test
    rmmod dm_mod
    losetup -d /dev/loop7
    end_udevd
  `);
    expect([noteOf(notes, "start").err, noteOf(notes, "start").code]).toEqual(["", 0]);
    const during = noteOf(notes, "during").out.trim().split("\n");
    expect(new Set(during).size).toBe(1);
    expect(during[0]).toContain(":svirt_image_t:s0:c");
    expect(noteOf(notes, "plan").out).toContain(
      "write the udev rule that keeps the label of /dev/vdd (/run/udev/rules.d/99-svirt-",
    );
    expect(noteOf(notes, "rules").out.match(/SECLABEL/g)).toHaveLength(3);
    expect([noteOf(notes, "verify").code, noteOf(notes, "verify").err]).toEqual([0, ""]);
    expect(noteOf(notes, "still").out).toBe(noteOf(notes, "during").out);
    // The same trigger relabels a device that no guest holds.
    expect(outOf(notes, "control")).toBe(DEFAULT);
    expect(noteOf(notes, "link-still").out).toBe(noteOf(notes, "link-before").out);
    expect(outOf(notes, "audit")).toContain("No findings.");
    expect(outOf(notes, "left")).toBe("");
    expect(noteOf(notes, "after").out).toBe(noteOf(notes, "before").out);
    expect(noteOf(notes, "last").out).toBe(noteOf(notes, "before").out);
  },
);

onTheNode("a rule that a killed svirt has left is removed by the next call", async () => {
  const notes = await onNode(`
    ${UDEVD}
    guest life-a "$(block /dev/vdd vda)"
    step=$(svirt plan life-a | sed -n 's/^ *\\([0-9]*\\)  write the udev rule.*/\\1/p')
    note killed svirt start life-a --crash-drill after:$step
    note left sh -c 'ls /run/udev/rules.d'
    note swept svirt list
    note after sh -c 'ls /run/udev/rules.d'
    note label label_of /dev/vdd
    end_udevd
    note without svirt plan life-a
  `);
  expect(noteOf(notes, "killed").code).toBe(137);
  expect(outOf(notes, "left")).toContain("99-svirt-");
  expect(outOf(notes, "after")).toBe("");
  expect(outOf(notes, "label")).toBe(DEFAULT);
  expect(outOf(notes, "without")).not.toContain("udev");
});

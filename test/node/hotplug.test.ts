import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

/**
 * Guest without a driver for PCI hot-plug: QEMU releases a SCSI disk without the guest, a virtio disk never.
 */
const GUEST = `
  clean
  copy halt a.img b.img c.img
  guest life-a "$(disk $here/a.img)<controller type='scsi' model='virtio-scsi'/>$(disk $here/c.img hdc '<readonly/>' cdrom)"
  guest life-b "$(disk $here/b.img)"
  svirt start life-a >/dev/null
`;

onTheNode("a disk comes and goes: labelled, opened and kept from others only while it is there", async () => {
  const notes = await onNode(`
    ${GUEST}
    note before labels $here/b.img
    note plan svirt attach-disk life-a $here/b.img sda --dry-run
    note untouched labels $here/b.img
    note attach svirt attach-disk life-a $here/b.img sda
    note own label_of $here/a.img
    note during label_of $here/b.img
    note open sh -c "ls -l /proc/$(pid_of life-a)/fd | grep -c $here/b.img"
    note nodes svirt qemu-monitor-command life-a --pretty '{"execute":"query-named-block-nodes"}'
    note other svirt start life-b
    note audit svirt audit
    note xml svirt dumpxml life-a
    note detach svirt detach-disk life-a sda
    note after labels $here/b.img
    note shut sh -c "ls -l /proc/$(pid_of life-a)/fd | grep -c $here/b.img"
    note now svirt start life-b
  `);
  expect(outOf(notes, "attach")).toBe("Disk attached successfully");
  expect(outOf(notes, "plan")).toContain("device_add scsi0-0-0-0");
  expect(outOf(notes, "untouched")).toBe(outOf(notes, "before"));
  expect(outOf(notes, "during")).toBe(outOf(notes, "own"));
  // Open descriptors of the image, and its block nodes.
  expect(Number(outOf(notes, "open"))).toBeGreaterThan(0);
  expect(outOf(notes, "nodes")).toContain("libvirt-");
  expect([noteOf(notes, "other").code, noteOf(notes, "other").err]).toEqual([
    5,
    expect.stringContaining("uses that file as"),
  ]);
  expect(noteOf(notes, "audit").out).not.toContain("b.img should");
  expect(outOf(notes, "xml")).toContain("/b.img");
  expect(outOf(notes, "detach")).toBe("Disk detached successfully");
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  expect(noteOf(notes, "shut").out.trim()).toBe("0");
  expect(noteOf(notes, "now").code).toBe(0);
});

onTheNode("a QEMU that refuses, and a svirt that is killed: all is taken back", async () => {
  const notes = await onNode(`
    ${GUEST}
    note before labels $here/b.img
    printf '<disk type="file" device="disk"><source file="%s/b.img"/><target dev="sda" bus="scsi"/><boot order="1"/></disk>' $here >$here/disk.xml
    svirt attach-disk life-a $here/c.img sdb --mode readonly >/dev/null
    note steps svirt attach-disk life-a $here/b.img sda --dry-run
    note killed svirt attach-disk life-a $here/b.img sda --crash-drill after:3
    note left label_of $here/b.img
    note swept svirt list
    note after labels $here/b.img
    note again svirt attach-disk life-a $here/b.img sda
    note detach svirt detach-disk life-a sda
    note last labels $here/b.img
    svirt qemu-monitor-command life-a '{"execute":"netdev_add","arguments":{"type":"user","id":"hostnet0"}}' >/dev/null 2>&1 || :
    svirt qemu-monitor-command life-a '{"execute":"device_add","arguments":{"driver":"scsi-hd","bus":"scsi0.0","id":"scsi0-0-0-0","drive":"none"}}' >/dev/null 2>&1 || :
    svirt qemu-monitor-command life-a '{"execute":"blockdev-add","arguments":{"driver":"null-co","node-name":"theirs"}}' >/dev/null
    svirt qemu-monitor-command life-a '{"execute":"device_add","arguments":{"driver":"scsi-hd","bus":"scsi0.0","scsi-id":0,"lun":0,"id":"theirs","drive":"theirs"}}' >/dev/null
    note refused svirt attach-disk life-a $here/b.img sda
    note undone labels $here/b.img
    svirt destroy life-a >/dev/null
    note gone left life-a
  `);
  expect(noteOf(notes, "killed").code).toBe(137);
  expect(outOf(notes, "left")).toContain(":svirt_image_t:s0:c");
  for (const what of ["after", "last", "undone"]) expect(outOf(notes, what)).toBe(outOf(notes, "before"));
  expect([noteOf(notes, "again").code, noteOf(notes, "detach").code]).toEqual([0, 0]);
  expect(noteOf(notes, "refused").code).toBe(1);
  expect(noteOf(notes, "refused").err).toContain("unable to execute QEMU command");
  expect(noteOf(notes, "gone").out).toBe("");
});

onTheNode("a guest that does not let go keeps the label, and gives it back at its end", async () => {
  const notes = await onNode(`
    ${GUEST}
    note before labels $here/b.img
    note attach svirt attach-disk life-a $here/b.img vdb
    note during label_of $here/b.img
    note detach svirt detach-disk life-a vdb
    note still label_of $here/b.img
    note list svirt list --name
    svirt destroy life-a >/dev/null
    note gone left life-a
    note after labels $here/b.img
  `);
  expect(outOf(notes, "attach")).toBe("Disk attached successfully");
  expect([noteOf(notes, "detach").code, noteOf(notes, "detach").err]).toEqual([
    6,
    expect.stringContaining("has not released"),
  ]);
  expect(outOf(notes, "still")).toBe(outOf(notes, "during"));
  expect(outOf(notes, "list")).toContain("life-a");
  expect(noteOf(notes, "gone").out).toBe("");
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
});

onTheNode("a medium is changed and taken out, and the one before gets its label back", async () => {
  const notes = await onNode(`
    ${GUEST}
    svirt destroy life-a >/dev/null
    note before labels $here/c.img $here/b.img
    svirt start life-a >/dev/null
    note change svirt change-media life-a hdc $here/b.img
    note during label_of $here/b.img
    note old label_of $here/c.img
    note list svirt domblklist life-a
    note eject svirt change-media life-a hdc --eject
    note again svirt change-media life-a hdc --eject
    note after labels $here/c.img $here/b.img
    svirt destroy life-a >/dev/null
    note gone left life-a
  `);
  expect(outOf(notes, "change")).toBe("Successfully updated media.");
  expect(outOf(notes, "during")).toContain(":virt_content_t:s0");
  expect(outOf(notes, "old")).not.toContain("virt_content_t");
  expect(outOf(notes, "list")).toContain("b.img");
  expect(outOf(notes, "eject")).toBe("Successfully ejected media.");
  expect(noteOf(notes, "again").code).toBe(4);
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  expect(noteOf(notes, "gone").out).toBe("");
});

onTheNode("a channel comes with a socket of the guest's own, is talked to, and leaves nothing", async () => {
  const notes = await onNode(`
    ${GUEST}
    svirt destroy life-a >/dev/null
    guest life-a "$(disk $here/a.img)<controller type='virtio-serial' index='0'/>"
    svirt start life-a >/dev/null
    cat >$work/channel.xml <<'XML'
<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
XML
    sockets() { ls /run/svirt/$(uuid_of life-a)/guest; }
    note before sockets
    for time in 1 2; do
      note attach-$time svirt attach-device life-a $work/channel.xml
      note shown-$time svirt dumpxml life-a
      note socket-$time label_of /run/svirt/$(uuid_of life-a)/guest/channel0.sock
      # There is no agent in that guest: but svirt may connect to the socket, and finds it to be the guest's.
      note asked-$time svirt qemu-agent-command life-a '{"execute":"guest-ping"}' --async
      note audit-$time svirt audit
      note detach-$time svirt detach-device life-a $work/channel.xml
      note after-$time sockets
    done
    note image label_of $here/a.img
    svirt destroy life-a >/dev/null
    note gone left life-a
  `);
  for (const time of ["1", "2"]) {
    expect(outOf(notes, `attach-${time}`)).toBe("Device attached successfully");
    expect(outOf(notes, `shown-${time}`)).toContain("/guest/channel0.sock");
    expect(outOf(notes, `socket-${time}`)).toBe(outOf(notes, "image"));
    expect(noteOf(notes, `asked-${time}`).err).not.toContain("denied");
    expect(outOf(notes, `audit-${time}`)).toContain("No findings.");
    expect(outOf(notes, `detach-${time}`)).toBe("Device detached successfully");
    expect(outOf(notes, `after-${time}`)).toBe(outOf(notes, "before"));
  }
  expect(noteOf(notes, "gone").out).toBe("");
});

import { afterAll, expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { node, onNode } from "./harness/on-the-node.ts";
import { isNodeUp } from "./isolation/on-the-node.ts";

const onTheNode = await onANode();

/** Spare devices of the node, by their place; those behind the bridge are one IOMMU group. scripts/node */
const DEVICES = `
  card=0000:00:1e.0 nvme=0000:00:1c.0
  bus=$(ls -d /sys/bus/pci/devices/0000:00:1d.0/0000:*:01.0 | sed 's/.*0000:\\(..\\):01.0/\\1/')
  first=0000:$bus:01.0 second=0000:$bus:02.0
  modprobe -a vfio_pci vfio_iommu_type1
  # No udevd gives the new nodes their labels.
  relabel() { (cd / && setfattr -h --restore=/etc/selinux/runtime-labels 2>/dev/null) || :; }
  relabel
  driver_of() { basename "$(readlink "/sys/bus/pci/devices/$1/driver")"; }
  group_of() { basename "$(readlink "/sys/bus/pci/devices/$1/iommu_group")"; }
  unbind() { [ ! -e "/sys/bus/pci/devices/$1/driver" ] || echo "$1" >"/sys/bus/pci/devices/$1/driver/unbind"; }
  # bind DEVICE [DRIVER]: without one to that which the kernel chooses.
  bind() {
    echo "\${2-}" >"/sys/bus/pci/devices/$1/driver_override"
    unbind "$1"
    echo "$1" >/sys/bus/pci/drivers_probe
  }
  address() { echo "$1" | sed "s/\\(.*\\):\\(.*\\):\\(.*\\)\\.\\(.*\\)/<address domain='0x\\1' bus='0x\\2' slot='0x\\3' function='0x\\4'\\/>/"; }
  # pci DEVICE [MANAGED]
  pci() { echo "<hostdev mode='subsystem' type='pci' managed='\${2-no}'><source>$(address "$1")</source></hostdev>"; }
  guest_type=kvm
`;

const FREE =
  "for each in /sys/bus/pci/drivers/vfio-pci/0000:*; do [ ! -e $each ] || bind $(basename $each); done";

// Without udev, the node of a late device has the kernel's default label, which test/node/contexts.test.ts
// reports as a fault.
afterAll(async () => {
  if (await isNodeUp())
    await node([
      "ssh",
      "modprobe -r vfio_pci vfio_iommu_type1 vfio e1000e e1000 nvme; [ ! -e /dev/vfio/vfio ]",
    ]);
});

onTheNode("a PCI device of the host's is a guest's own while it runs, and then as it was", async () => {
  const notes = await onNode(`${DEVICES}
    bind $card vfio-pci
    group=/dev/vfio/$(group_of $card)
    copy halt b.img
    guest life-a "$(pci $card)"
    guest life-b "$(pci $card)"
    guest life-c "$(disk $here/b.img)"
    svirt start life-c >/dev/null
    labels $group /dev/vfio/vfio >$work/before
    note start svirt start life-a
    note image label_in_xml life-a imagelabel
    note label label_of $group
    note gate label_of /dev/vfio/vfio
    note owner stat -c '%a %u' $group /dev/vfio/vfio
    note seen svirt qemu-monitor-command life-a --hmp info pci
    note limits grep "Max locked memory" /proc/$(pid_of life-a)/limits
    note locked field $(pid_of life-a) VmLck
    note audit svirt audit
    note second svirt start life-b
    # A neighbour that has taken its QEMU over asks for the device by itself.
    note byname svirt qemu-monitor-command life-c --hmp "device_add vfio-pci,host=$card"
    own=/run/svirt/$(uuid_of life-c)/guest/$card
    mkdir -p $own; ln -s /sys/kernel/iommu_groups/$(group_of $card) $own/iommu_group
    chown -R $(uid_of life-c) $own; setfattr -n security.selinux -v system_u:object_r:svirt_image_t:s0 $own
    note bylink svirt qemu-monitor-command life-c --hmp "device_add vfio-pci,sysfsdev=$own"
    note status svirt domstate life-a
    svirt destroy life-a >/dev/null; svirt destroy life-c >/dev/null
    labels $group /dev/vfio/vfio >$work/after
    note same diff $work/before $work/after
    note left left life-a
    note driver driver_of $card
    ${FREE}
  `);
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "label")).toBe(outOf(notes, "image"));
  expect(outOf(notes, "gate")).toBe("system_u:object_r:svirt_image_t:s0");
  // Owner and mode admit no other user: QEMU's user had access by the ACL, for a moment.
  expect(outOf(notes, "owner")).toBe("600 0\n666 0");
  // An Intel 82574L, by its own configuration space.
  expect(outOf(notes, "seen")).toContain("Ethernet controller: PCI device 8086:10d3");
  expect(outOf(notes, "limits")).toMatch(
    new RegExp(` ${(16 + 1024) * 1024 * 1024} +${(16 + 1024) * 1024 * 1024} `),
  );
  expect(Number.parseInt(outOf(notes, "locked"), 10)).toBeGreaterThanOrEqual(16 * 1024);
  expect(noteOf(notes, "audit").code).toBe(0);
  expect(noteOf(notes, "second")).toMatchObject({ code: 5 });
  expect(noteOf(notes, "byname").out + noteOf(notes, "byname").err).toContain("Permission denied");
  expect(noteOf(notes, "bylink").out + noteOf(notes, "bylink").err).toContain("Permission denied");
  expect(outOf(notes, "status")).toContain("running");
  expect(noteOf(notes, "same")).toMatchObject({ code: 0, out: "" });
  expect(noteOf(notes, "left").out).toBe("");
  expect(outOf(notes, "driver")).toBe("vfio-pci");
});

onTheNode("an NVMe controller of the host's is a guest's disk", async () => {
  const notes = await onNode(`${DEVICES}
    bind $nvme vfio-pci
    group=/dev/vfio/$(group_of $nvme)
    guest life-a "<disk type='nvme' device='disk'><driver name='qemu' type='raw'/><source type='pci' managed='no' namespace='1'>$(address $nvme)</source><target dev='vda' bus='virtio'/></disk>"
    labels $group /dev/vfio/vfio >$work/before
    note start svirt start life-a
    note image label_in_xml life-a imagelabel
    note label label_of $group
    note context context_of $(pid_of life-a)
    note block svirt qemu-monitor-command life-a --hmp info block
    note audit svirt audit
    svirt destroy life-a >/dev/null
    labels $group /dev/vfio/vfio >$work/after
    note same diff $work/before $work/after
    note left left life-a
    ${FREE}
    # The kernel's own driver has it, with a disk that is not mounted.
    modprobe nvme
    wait_for test -b /dev/nvme0n1
    guest life-b "<disk type='nvme' device='disk'><driver name='qemu' type='raw'/><source type='pci' managed='yes' namespace='1'>$(address $nvme)</source><target dev='vda' bus='virtio'/></disk>"
    note managed svirt start life-b
    note taken driver_of $nvme
    svirt destroy life-b >/dev/null
    note back driver_of $nvme
    wait_for test -b /dev/nvme0n1
    note disk sh -c '[ -b /dev/nvme0n1 ]'
    note none-left left life-b
  `);
  expect(noteOf(notes, "managed")).toMatchObject({ code: 0, err: "" });
  expect([outOf(notes, "taken"), outOf(notes, "back")]).toEqual(["vfio-pci", "nvme"]);
  expect(noteOf(notes, "disk").code).toBe(0);
  expect(noteOf(notes, "none-left").out).toBe("");
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "label")).toBe(outOf(notes, "image"));
  expect(outOf(notes, "context")).toContain(":svirt_usb_t:");
  expect(outOf(notes, "block")).toContain("nvme://0000:00:1c.0/1");
  expect(noteOf(notes, "audit").code).toBe(0);
  expect(noteOf(notes, "same")).toMatchObject({ code: 0, out: "" });
  expect(noteOf(notes, "left").out).toBe("");
});

onTheNode("a device is refused beside what the host uses in its group", async () => {
  const notes = await onNode(`${DEVICES}
    modprobe e1000
    bind $first vfio-pci; bind $second
    note group [ "$(group_of $first)" = "$(group_of $second)" ]
    guest life-a "$(pci $first)"
    note refused svirt start life-a
    note place echo $first $second
    note left left life-a
    bind $second vfio-pci
    note start svirt start life-a
    svirt destroy life-a >/dev/null
    ${FREE}
    note back driver_of $second
  `);
  expect(noteOf(notes, "group").code).toBe(0);
  const [, second] = outOf(notes, "place").split(" ");
  expect(noteOf(notes, "refused").code).not.toBe(0);
  expect(noteOf(notes, "refused").err).toContain(`that the host uses: ${second} (e1000)`);
  expect(noteOf(notes, "left").out).toBe("");
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "back")).toBe("e1000");
});

onTheNode("a managed device is taken from its driver and given back, however its guest ends", async () => {
  const notes = await onNode(`${DEVICES}
    modprobe -a e1000e e1000
    note before driver_of $card
    guest life-a "$(pci $card yes)"
    note plan svirt plan life-a
    note planned driver_of $card
    note start svirt start life-a
    note during driver_of $card
    note image label_in_xml life-a imagelabel
    note label label_of /dev/vfio/$(group_of $card)
    note audit svirt audit
    svirt destroy life-a >/dev/null
    note after driver_of $card
    note override cat /sys/bus/pci/devices/$card/driver_override
    note node ls /dev/vfio/$(group_of $card)
    note left left life-a
    svirt start life-a >/dev/null
    kill -9 $(pid_of life-a) || exit 3
    note gone wait_gone life-a
    note killed driver_of $card
    # Killed itself in a start, with the device taken and the group labelled.
    note drill svirt start life-a --crash-drill after:4
    note struck driver_of $card
    note finding svirt audit
    note recover svirt recover
    note recovered driver_of $card
    note left-again left life-a
    # Both functions behind the bridge are one group.
    guest life-b "$(pci $first yes)"
    note half svirt start life-b
    note whole-before driver_of $first
    guest life-b "$(pci $first yes)$(pci $second yes)"
    note both svirt start life-b
    note seen svirt qemu-monitor-command life-b --hmp info pci
    note both-during echo $(driver_of $first) $(driver_of $second)
    svirt destroy life-b >/dev/null
    note both-after echo $(driver_of $first) $(driver_of $second)
  `);
  expect(outOf(notes, "before")).toBe("e1000e");
  expect(outOf(notes, "plan")).toContain("bind 0000:00:1e.0 to vfio-pci (driver before: e1000e)");
  expect(outOf(notes, "planned")).toBe("e1000e");
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "during")).toBe("vfio-pci");
  expect(outOf(notes, "label")).toBe(outOf(notes, "image"));
  expect(noteOf(notes, "audit").code).toBe(0);
  expect(outOf(notes, "after")).toBe("e1000e");
  expect(outOf(notes, "override")).toBe("(null)");
  expect(noteOf(notes, "node").code).not.toBe(0);
  expect(noteOf(notes, "left").out).toBe("");
  expect(noteOf(notes, "gone").code).toBe(0);
  expect(outOf(notes, "killed")).toBe("e1000e");
  expect(noteOf(notes, "drill").code).not.toBe(0);
  expect(outOf(notes, "struck")).toBe("vfio-pci");
  expect(noteOf(notes, "finding").out).toContain("life-a: has ended and is not cleaned up");
  expect(noteOf(notes, "recover").code).toBe(0);
  expect(outOf(notes, "recovered")).toBe("e1000e");
  expect(noteOf(notes, "left-again").out).toBe("");
  expect(noteOf(notes, "half").err).toContain("that the host uses: ");
  expect(outOf(notes, "whole-before")).toBe("e1000");
  expect(noteOf(notes, "both")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "seen").match(/PCI device 8086:100e/g)).toHaveLength(2);
  expect(outOf(notes, "both-during")).toBe("vfio-pci vfio-pci");
  expect(outOf(notes, "both-after")).toBe("e1000 e1000");
});

onTheNode("a PCI device comes to a running guest and goes again, and its driver has it back", async () => {
  const notes = await onNode(`${DEVICES}
    modprobe e1000e
    copy eject b.img
    guest life-a "$(disk $here/b.img)"
    svirt start life-a >/dev/null
    pci $card yes >$work/card.xml
    state_of() { svirt dumpxml life-a; find /var/lib/svirt/claims -type f | sort; ls /run/svirt/$(uuid_of life-a)/guest; }
    limit() { sed -n 's/^Max locked memory *\\([0-9a-z]*\\).*/\\1/p' /proc/$(pid_of life-a)/limits; }
    state_of >$work/before; limit >$work/limit
    note dry svirt attach-device life-a $work/card.xml --dry-run
    note attach svirt attach-device life-a $work/card.xml
    note seen svirt qemu-monitor-command life-a --hmp info pci
    group=/dev/vfio/$(group_of $card)
    note image label_in_xml life-a imagelabel
    note label label_of $group
    note acl /usr/bin/getfattr -n system.posix_acl_access --absolute-names $group
    note limit limit
    note audit svirt audit
    note during driver_of $card
    note detach svirt detach-device life-a $work/card.xml
    note back driver_of $card
    note held sh -c "ls -l /proc/$(pid_of life-a)/fd | grep -c vfio/"
    state_of >$work/after; limit >>$work/limit
    note same diff $work/before $work/after
    note limits uniq $work/limit
    # Killed once QEMU has the device, and once it must release it.
    note drill svirt attach-device life-a $work/card.xml --crash-drill after:12
    note struck driver_of $card
    note list svirt list
    note settled driver_of $card
    state_of >$work/after
    note same-again diff $work/before $work/after
    svirt attach-device life-a $work/card.xml >/dev/null
    note second-drill svirt detach-device life-a $work/card.xml --crash-drill after:1
    note list-again svirt list
    # A list gives the guest a second. If it takes longer, a call about it finishes the detach.
    is_back() { [ "$(driver_of $card)" = e1000e ] || { svirt domstate life-a; false; }; }
    wait_for is_back
    note settled-again driver_of $card
    # It ends with the device.
    svirt attach-device life-a $work/card.xml >/dev/null
    svirt destroy life-a >/dev/null
    note ended driver_of $card
    note left left life-a
  `);
  expect(outOf(notes, "dry")).toContain("bind 0000:00:1e.0 to vfio-pci (driver before: e1000e)");
  expect(noteOf(notes, "attach")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "seen")).toContain("PCI device 8086:10d3");
  expect(outOf(notes, "label")).toBe(outOf(notes, "image"));
  expect(noteOf(notes, "acl").code).not.toBe(0);
  expect(outOf(notes, "limit")).toBe(String((16 + 1024) * 1024 * 1024));
  expect(noteOf(notes, "audit").code).toBe(0);
  expect(outOf(notes, "during")).toBe("vfio-pci");
  expect(noteOf(notes, "detach")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "back")).toBe("e1000e");
  expect(noteOf(notes, "held").out.trim()).toBe("0");
  expect(noteOf(notes, "same")).toMatchObject({ code: 0, out: "" });
  expect(outOf(notes, "limits").split("\n")).toHaveLength(1);
  expect(noteOf(notes, "drill").code).not.toBe(0);
  expect(outOf(notes, "struck")).toBe("vfio-pci");
  expect(outOf(notes, "settled")).toBe("e1000e");
  expect(noteOf(notes, "same-again")).toMatchObject({ code: 0, out: "" });
  expect(noteOf(notes, "second-drill").code).not.toBe(0);
  expect(outOf(notes, "settled-again")).toBe("e1000e");
  expect(outOf(notes, "ended")).toBe("e1000e");
  expect(noteOf(notes, "left").out).toBe("");
});

onTheNode("a USB and a SCSI device come to a running guest and go again", async () => {
  const notes = await onNode(`
    modprobe -a xhci_pci scsi_debug sg
    wait_for test -e /dev/bus/usb/001/002
    wait_for test -e /dev/sg0
    address=$(basename "$(dirname "$(dirname "$(ls -d /sys/bus/scsi/devices/*/scsi_generic/sg0)")")")
    IFS=: read -r host bus target unit <<A
$address
A
    echo "<hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host$host'/><address bus='$bus' target='$target' unit='$unit'/></source></hostdev>" >$work/scsi.xml
    echo "<hostdev mode='subsystem' type='usb'><source><vendor id='0x0627'/><product id='0x0001'/></source></hostdev>" >$work/usb.xml
    scsi="<controller type='scsi' model='virtio-scsi'/>"
    copy halt a.img
    guest life-a "$(disk $here/a.img)$scsi<controller type='usb' model='qemu-xhci'/>"
    svirt start life-a >/dev/null
    note blind svirt attach-device life-a $work/usb.xml
    labels /dev/sg0 >$work/before
    note scsi svirt attach-device life-a $work/scsi.xml
    note scsi-label label_of /dev/sg0
    note image label_in_xml life-a imagelabel
    note scsi-tree svirt qemu-monitor-command life-a --hmp info qtree
    note scsi-audit svirt audit
    note scsi-gone svirt detach-device life-a $work/scsi.xml
    labels /dev/sg0 >$work/after
    note scsi-same diff $work/before $work/after
    svirt destroy life-a >/dev/null
    # A device that is not there makes it a guest that may look for one.
    absent="<hostdev type='usb'><source startupPolicy='optional'><vendor id='0xffff'/><product id='0x0001'/></source></hostdev>"
    guest life-a "$(disk $here/a.img)$scsi<controller type='usb' model='qemu-xhci'/>$absent"
    svirt start life-a >/dev/null
    labels /dev/bus/usb/001/002 >$work/before
    note usb svirt attach-device life-a $work/usb.xml
    note usb-label label_of /dev/bus/usb/001/002
    note usb-image label_in_xml life-a imagelabel
    note usb-seen svirt qemu-monitor-command life-a --hmp info usb
    note usb-audit svirt audit
    note usb-gone svirt detach-device life-a $work/usb.xml
    labels /dev/bus/usb/001/002 >$work/after
    note usb-same diff $work/before $work/after
    note usb-held sh -c "ls -l /proc/$(pid_of life-a)/fd | grep -c bus/usb"
    svirt destroy life-a >/dev/null
    note left left life-a
    modprobe -r scsi_debug sg xhci_pci || :
  `);
  expect(noteOf(notes, "blind").code).toBe(5);
  expect(noteOf(notes, "blind").err).toContain("svirt_tcg_t may not search for USB devices");
  for (const kind of ["scsi", "usb"]) {
    expect({ kind, ...noteOf(notes, kind) }).toMatchObject({ kind, code: 0, err: "" });
    expect(noteOf(notes, `${kind}-audit`).code).toBe(0);
    expect({ kind, ...noteOf(notes, `${kind}-gone`) }).toMatchObject({ kind, code: 0, err: "" });
    expect(noteOf(notes, `${kind}-same`)).toMatchObject({ code: 0, out: "" });
  }
  expect(outOf(notes, "scsi-label")).toBe(outOf(notes, "image"));
  expect(outOf(notes, "scsi-tree")).toContain("dev: scsi-generic");
  expect(outOf(notes, "usb-label")).toBe(outOf(notes, "usb-image"));
  expect(outOf(notes, "usb-seen")).toContain("ID: hostdev");
  expect(noteOf(notes, "usb-held").out.trim()).toBe("0");
  expect(noteOf(notes, "left").out).toBe("");
});

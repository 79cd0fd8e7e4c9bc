import { afterAll, expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { node, onNode } from "./harness/on-the-node.ts";
import { isNodeUp } from "./isolation/on-the-node.ts";

const onTheNode = await onANode();

/** A spare network card of the node, which is its own IOMMU group. scripts/node */
const CARD = `
  card=0000:00:1e.0 name=pci_0000_00_1e_0
  modprobe -a e1000e vfio_pci vfio_iommu_type1
  # No udevd gives the new nodes their labels.
  (cd / && setfattr -h --restore=/etc/selinux/runtime-labels 2>/dev/null) || :
  driver_of() { basename "$(readlink "/sys/bus/pci/devices/$1/driver")"; }
  passed="<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x00' slot='0x1e' function='0x0'/></source></hostdev>"
  guest_type=kvm
`;

afterAll(async () => {
  if (await isNodeUp())
    await node(["ssh", "modprobe -r vfio_pci vfio_iommu_type1 vfio e1000e; [ ! -e /dev/vfio/vfio ]"]);
});

onTheNode("devices and interfaces of the node are listed as the kernel has them", async () => {
  const notes = await onNode(`${CARD}
    note devices svirt nodedev-list --cap pci
    note tree svirt nodedev-list --tree
    note computer svirt nodedev-dumpxml computer
    note card svirt nodedev-dumpxml $name
    note net svirt nodedev-list --cap net
    note storage svirt nodedev-list --cap storage
    note interfaces svirt iface-list --all
    note sysfs ls /sys/bus/pci/devices
    note cards ls /sys/class/net
    note all sh -c 'for each in $(svirt nodedev-list); do svirt nodedev-dumpxml $each >/dev/null || exit 1; done'
    note models svirt cpu-models x86_64
  `);
  const names = outOf(notes, "sysfs")
    .split("\n")
    .map((name) => `pci_${name.replaceAll(/[:.]/g, "_")}`);
  expect(outOf(notes, "devices").split("\n")).toEqual(names.toSorted());
  expect(outOf(notes, "tree")).toStartWith("computer\n  |\n  +- ");
  expect(outOf(notes, "computer")).toMatch(/<uuid>[0-9a-f-]{36}<\/uuid>/);
  // An Intel 82574L, with the driver that the kernel has chosen.
  expect(outOf(notes, "card")).toContain("<product id='0x10d3'");
  expect(outOf(notes, "card")).toContain("<name>e1000e</name>");
  expect(outOf(notes, "card")).toContain("<iommuGroup number=");
  for (const card of outOf(notes, "cards").split("\n")) {
    expect(outOf(notes, "net")).toContain(`net_${card.replaceAll(/[^a-zA-Z0-9]/g, "_")}_`);
    expect(outOf(notes, "interfaces")).toContain(` ${card} `);
  }
  expect(outOf(notes, "storage")).toContain("block_");
  expect(noteOf(notes, "all")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "models").split("\n")).toContain("qemu64");
});

onTheNode("a card is detached, a guest has it, and it is given back to its driver", async () => {
  const notes = await onNode(`${CARD}
    note before driver_of $card
    note detach svirt nodedev-detach $name
    note detached driver_of $card
    guest life-a "$passed"
    note start svirt start life-a
    note refused svirt nodedev-reattach $name
    note reset svirt nodedev-reset $name
    note audit svirt audit
    svirt destroy life-a >/dev/null
    note kept driver_of $card
    note left left life-a
    note reattach svirt nodedev-reattach $name
    note after driver_of $card
    note free svirt nodedev-reset $name
    note computer svirt nodedev-detach computer
  `);
  expect([outOf(notes, "before"), outOf(notes, "detached")]).toEqual(["e1000e", "vfio-pci"]);
  expect(noteOf(notes, "detach")).toMatchObject({ code: 0, err: "" });
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(noteOf(notes, "refused")).toMatchObject({ code: 5, err: expect.stringContaining("the guest") });
  expect(noteOf(notes, "reset").code).toBe(5);
  expect(noteOf(notes, "audit").code).toBe(0);
  expect([outOf(notes, "kept"), outOf(notes, "left")]).toEqual(["vfio-pci", ""]);
  expect(noteOf(notes, "reattach")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "after")).toBe("e1000e");
  expect(noteOf(notes, "free")).toMatchObject({ code: 0, err: "" });
  expect(noteOf(notes, "computer")).toMatchObject({ code: 2 });
});

onTheNode("killed in the middle, a detach is finished by the next one, or undone", async () => {
  const notes = await onNode(`${CARD}
    # As after a kill behind the second of the three writes.
    echo vfio-pci >/sys/bus/pci/devices/$card/driver_override
    echo $card >/sys/bus/pci/devices/$card/driver/unbind
    note finish svirt nodedev-detach $name
    note detached driver_of $card
    note undo svirt nodedev-reattach $name
    note after driver_of $card
    note override cat /sys/bus/pci/devices/$card/driver_override
  `);
  expect([outOf(notes, "detached"), outOf(notes, "after"), outOf(notes, "override")]).toEqual([
    "vfio-pci",
    "e1000e",
    "(null)",
  ]);
  for (const name of ["finish", "undo"]) expect(noteOf(notes, name)).toMatchObject({ code: 0, err: "" });
});

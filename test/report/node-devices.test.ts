import { describe, expect, test } from "bun:test";
import { identifierIn } from "../../src/report/node-devices/storage.ts";
import { runOn } from "../cli/in-memory.ts";
import { AHCI, CARD, putDisk, putHostDevices } from "../scenes/host-devices.ts";
import { makeMachine, putText } from "../scenes/scene.ts";
import { faultsBy, LACK } from "./schema.ts";

// Names and forms: node_device_udev.c and node_device_conf.c of libvirt, docs/formatnode.

function makeHost() {
  const machine = makeMachine();
  putHostDevices(machine);
  return machine;
}

const NAMES = [
  ...["block_sda_QEMU_HARDDISK_QM00001", "computer", "net_eth0_52_54_00_12_34_56", "pci_0000_00_1c_0"],
  ...["pci_0000_00_1f_2", "pci_0000_06_00_0", "scsi_0_0_0_0", "scsi_host0", "scsi_target0_0_0"],
  ...["usb_1_1", "usb_1_1_1_0"],
];

async function dumped(name: string, machine = makeHost()): Promise<string> {
  const { code, err, out } = await runOn(machine, "nodedev-dumpxml", name);
  expect([code, err]).toEqual([0, ""]);
  return out.trimEnd();
}

describe("svirt nodedev-list", () => {
  test("has libvirt's names of the devices that libvirt lists", async () => {
    const { out } = await runOn(makeHost(), "nodedev-list");
    expect(out).toBe(NAMES.map((name) => `${name}\n`).join(""));
  });

  test.each([
    ["pci", "pci_0000_00_1c_0 pci_0000_00_1f_2 pci_0000_06_00_0"],
    ["system,usb_device", "computer usb_1_1"],
    ["storage", "block_sda_QEMU_HARDDISK_QM00001"],
    ["mdev", ""],
  ])("--cap %s lists only those", async (capability, names) => {
    const { out } = await runOn(makeHost(), "nodedev-list", "--cap", capability);
    expect(out.trim().split("\n").join(" ")).toBe(names);
  });

  test("--tree has virsh's layout", async () => {
    // As virsh 11.3.0 prints it: each device below its parent, and a blank line behind the last one of a
    // branch.
    const { out } = await runOn(makeHost(), "nodedev-list", "--tree");
    expect(out.split("\n").map((line) => line.trimEnd())).toEqual([
      "computer",
      "  |",
      "  +- pci_0000_00_1c_0",
      "  |   |",
      "  |   +- pci_0000_06_00_0",
      "  |       |",
      "  |       +- net_eth0_52_54_00_12_34_56",
      "  |",
      "  +- pci_0000_00_1f_2",
      "      |",
      "      +- scsi_host0",
      "      |   |",
      "      |   +- scsi_target0_0_0",
      "      |       |",
      "      |       +- scsi_0_0_0_0",
      "      |           |",
      "      |           +- block_sda_QEMU_HARDDISK_QM00001",
      "      |",
      "      +- usb_1_1",
      "          |",
      "          +- usb_1_1_1_0",
      "",
      "",
    ]);
  });

  test("refuses an unknown capability, and --cap with --tree", async () => {
    expect((await runOn(makeHost(), "nodedev-list", "--cap", "pcie")).code).toBe(2);
    expect((await runOn(makeHost(), "nodedev-list", "--cap", "pci", "--tree")).code).toBe(2);
  });
});

describe("svirt nodedev-dumpxml", () => {
  test("of the computer has the firmware's names, and the UUID of the board", async () => {
    expect(await dumped("computer")).toBe(`<device>
  <name>computer</name>
  <capability type='system'>
    <product>Standard PC</product>
    <hardware>
      <vendor>QEMU</vendor>
      <uuid>a25c794c-34ad-11b2-a85c-b030533115b8</uuid>
    </hardware>
    <firmware>
      <vendor>SeaBIOS</vendor>
      <release_date>04/01/2014</release_date>
    </firmware>
  </capability>
</device>`);
  });

  test("of a PCI Express card has its numbers, virtual functions, group, node and link", async () => {
    expect(await dumped("pci_0000_06_00_0")).toBe(`<device>
  <name>pci_0000_06_00_0</name>
  <path>${CARD}</path>
  <parent>pci_0000_00_1c_0</parent>
  <capability type='pci'>
    <class>0x020000</class>
    <domain>0</domain>
    <bus>6</bus>
    <slot>0</slot>
    <function>0</function>
    <product id='0x10d3'/>
    <vendor id='0x8086'/>
    <capability type='virt_functions' maxCount='7'/>
    <iommuGroup number='12'>
      <address domain='0x0000' bus='0x06' slot='0x00' function='0x0'/>
    </iommuGroup>
    <numa node='1'/>
    <pci-express>
      <link validity='cap' port='7' speed='8' width='4'/>
      <link validity='sta' speed='2.5' width='1'/>
    </pci-express>
  </capability>
</device>`);
  });

  test("has the names of vendors and devices on a host that has pci.ids", async () => {
    const machine = makeHost();
    const names =
      "# list\n8085  Other\n8086  Intel Corporation\n\t10d3  82574L & more\n\t\t8086 a01f  Card\n8087  Third\n\t10d3  Wrong\n";
    putText(machine, "/usr/share/misc/pci.ids", names);
    const xml = await dumped("pci_0000_06_00_0", machine);
    expect(xml).toContain("<product id='0x10d3'>82574L &amp; more</product>");
    expect(xml).toContain("<vendor id='0x8086'>Intel Corporation</vendor>");
  });

  test("of a bridge, of a disk controller and its driver", async () => {
    expect(await dumped("pci_0000_00_1c_0")).toContain("    <capability type='pci-bridge'/>\n");
    const xml = await dumped("pci_0000_00_1f_2");
    expect(xml).toContain(
      `  <path>${AHCI}</path>\n  <parent>computer</parent>\n  <driver>\n    <name>ahci</name>\n`,
    );
    expect(xml).not.toContain("numa");
  });

  test("of a device without capabilities is PCI Express by the length of its configuration space, as in libvirt", async () => {
    const machine = makeHost();
    expect(await dumped("pci_0000_00_1f_2", machine)).not.toContain("pci-express");
    machine.files.put(`${AHCI}/config`, "file", { bytes: new Uint8Array(4096) });
    expect(await dumped("pci_0000_00_1f_2", machine)).toContain("    <pci-express/>\n");
  });

  test("of a USB device and its interface, whose numbers are decimal", async () => {
    const xml = await dumped("usb_1_1");
    expect(xml).toContain("<devnode type='dev'>/dev/bus/usb/001/002</devnode>");
    expect(xml).toContain("<product id='0x0001'>QEMU USB Tablet</product>");
    expect(xml).toContain("<vendor id='0x0627'>QEMU</vendor>");
    expect(await dumped("usb_1_1_1_0")).toContain("<protocol>16</protocol>");
  });

  test("of a network device, a SCSI host and a disk", async () => {
    expect(await dumped("net_eth0_52_54_00_12_34_56")).toContain(
      "<interface>eth0</interface>\n    <address>52:54:00:12:34:56</address>\n    <link speed='1000' state='up'/>\n    <capability type='80203'/>",
    );
    expect(await dumped("scsi_host0")).toContain("<host>0</host>\n    <unique_id>1</unique_id>");
    expect(await dumped("scsi_0_0_0_0")).toContain("<lun>0</lun>\n    <type>disk</type>");
    expect(await dumped("block_sda_QEMU_HARDDISK_QM00001")).toContain(`    <block>/dev/sda</block>
    <bus>ata</bus>
    <drive_type>disk</drive_type>
    <model>QEMU HARDDISK</model>
    <vendor>ATA</vendor>
    <serial>QEMU_HARDDISK_QM00001</serial>
    <size>1048576</size>
    <logical_block_size>512</logical_block_size>
    <num_blocks>2048</num_blocks>
`);
  });

  test("of a virtio disk and a CD-ROM drive without a medium", async () => {
    const machine = makeMachine();
    putDisk(machine, "/sys/devices/virtio1/block/vda", { serial: "ab cd" });
    putDisk(machine, "/sys/devices/0:0:1:0/block/sr0", {
      "device/type": "5",
      removable: "1",
      size: "2097151",
    });
    expect(await dumped("block_vda_ab_cd", machine)).toContain(
      "<drive_type>disk</drive_type>\n    <serial>ab_cd</serial>",
    );
    expect(await dumped("block_sr0", machine)).toContain(
      "<capability type='removable'>\n      <media_available>0</media_available>\n      <media_size>0</media_size>\n    </capability>",
    );
  });

  test("of an unknown device fails as in libvirt", async () => {
    const { code, err } = await runOn(makeHost(), "nodedev-dumpxml", "pci_none");
    expect([code, err]).toEqual([
      3,
      expect.stringContaining("Node device not found: no node device with matching name 'pci_none'"),
    ]);
  });

  test.skipIf(LACK !== "").each(NAMES)(`of %s is valid by libvirt's schema${LACK}`, async (name) => {
    expect(faultsBy("nodedev.rng", await dumped(name))).toBe("");
  });
});

test.each([
  // NAA numbers go first, in the order registered extended, registered, extended: scsi_id of systemd.
  [[1, 3, 0, 8, 0x50, 1, 2, 3, 4, 5, 6, 7, 1, 3, 0, 2, 0x60, 9], "36009"],
  [[2, 0, 0, 3, 0x61, 0x62, 0x63], "0QEMU HARDDISK abc"],
  // A designator of the port is none of the unit.
  [[1, 0x13, 0, 2, 0x50, 1], undefined],
  [[1, 3, 0, 200, 0x50], "350"],
])("the identifier in the page %p is %p", (designators, identifier) => {
  const page = Uint8Array.from([0, 0x83, 0, designators.length, ...designators]);
  expect(identifierIn(page, false, "QEMU HARDDISK")).toBe(identifier);
});

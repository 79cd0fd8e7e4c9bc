import type { Machine } from "../memory-host/machine.ts";
import { putText } from "./scene.ts";

// A host as the kernel shows it in sysfs: Documentation/ABI/testing/sysfs-bus-pci, -usb, -block, -class-net
// of Linux.

/** Folder of a disk controller and that of a network card. */
export const AHCI = "/sys/devices/pci0000:00/0000:00:1f.2";
export const CARD = "/sys/devices/pci0000:00/0000:00:1c.0/0000:06:00.0";

function link(machine: Machine, path: string, target: string): void {
  machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
  machine.files.put(path, "symlink", { target });
}

function put(machine: Machine, folder: string, files: Readonly<Record<string, string>>): void {
  machine.files.putFolder(folder);
  for (const [name, text] of Object.entries(files)) putText(machine, `${folder}/${name}`, `${text}\n`);
}

/** Adds a network device with a folder in sysfs. */
export function putNetwork(
  machine: Machine,
  folder: string,
  files: Readonly<Record<string, string>> = {},
): void {
  const name = folder.slice(folder.lastIndexOf("/") + 1);
  const uevent = `INTERFACE=${name}\nIFINDEX=2`;
  put(machine, folder, {
    uevent,
    address: "52:54:00:12:34:56",
    operstate: "up",
    speed: "1000",
    mtu: "1500",
    ...files,
  });
  link(machine, `/sys/class/net/${name}`, folder);
}

/** Adds a block device with a folder in sysfs. */
export function putDisk(
  machine: Machine,
  folder: string,
  files: Readonly<Record<string, string>> = {},
): void {
  const name = folder.slice(folder.lastIndexOf("/") + 1);
  const uevent = `MAJOR=8\nMINOR=0\nDEVNAME=${name}\nDEVTYPE=disk`;
  put(machine, folder, { uevent, size: "2048", removable: "0", "queue/logical_block_size": "512", ...files });
  link(machine, `/sys/block/${name}`, folder);
}

/**
 * Returns a configuration space: a bridge or not, and a PCI Express capability with the registers of a link.
 */
export function configOf({ header = 0, isExpress = false }): Uint8Array {
  const config = new Uint8Array(256);
  config[0x0e] = header;
  if (isExpress) {
    config.set([0x10], 0x06); // PCI_STATUS_CAP_LIST
    config.set([0x40], 0x34);
    config.set([0x10, 0x00, 0x02, 0x00], 0x40); // capability 0x10, an endpoint
    config.set([0x43, 0x04, 0x00, 0x07], 0x4c); // port 7, width 4, speed 3
    config.set([0x11, 0x00], 0x52); // width 1, speed 1
  }
  return config;
}

/** Adds a disk controller with a disk, a bridge with a network card, and a USB device with an interface. */
export function putHostDevices(machine: Machine): void {
  const ids = { vendor: "0x8086", device: "0x2922", class: "0x010601", numa_node: "-1" };
  put(machine, AHCI, { ...ids, uevent: "DRIVER=ahci" });
  machine.files.put(`${AHCI}/config`, "file", { bytes: configOf({}) });
  link(machine, `${AHCI}/driver`, "/sys/bus/pci/drivers/ahci");
  machine.files.putFolder("/sys/bus/pci/drivers/ahci");
  link(machine, "/sys/bus/pci/devices/0000:00:1f.2", AHCI);
  const bridge = CARD.slice(0, CARD.lastIndexOf("/"));
  put(machine, bridge, { ...ids, device: "0x2940", class: "0x060400" });
  machine.files.put(`${bridge}/config`, "file", { bytes: configOf({ header: 0x81 }) });
  link(machine, "/sys/bus/pci/devices/0000:00:1c.0", bridge);
  put(machine, CARD, { ...ids, device: "0x10d3", class: "0x020000", numa_node: "1", sriov_totalvfs: "7" });
  machine.files.put(`${CARD}/config`, "file", { bytes: configOf({ isExpress: true }) });
  link(machine, `${CARD}/iommu_group`, "/sys/kernel/iommu_groups/12");
  machine.files.putFolder("/sys/kernel/iommu_groups/12/devices/0000:06:00.0");
  link(machine, "/sys/bus/pci/devices/0000:06:00.0", CARD);
  putNetwork(machine, `${CARD}/net/eth0`);
  const host = `${AHCI}/ata1/host0`;
  put(machine, host, { uevent: "DEVTYPE=scsi_host" });
  link(machine, "/sys/bus/scsi/devices/host0", host);
  putText(machine, "/sys/class/scsi_host/host0/unique_id", "1\n");
  put(machine, `${host}/target0:0:0`, { uevent: "DEVTYPE=scsi_target" });
  link(machine, "/sys/bus/scsi/devices/target0:0:0", `${host}/target0:0:0`);
  const unit = `${host}/target0:0:0/0:0:0:0`;
  put(machine, unit, {
    uevent: "DEVTYPE=scsi_device",
    type: "0",
    vendor: "ATA     ",
    model: "QEMU HARDDISK   ",
  });
  link(machine, "/sys/bus/scsi/devices/0:0:0:0", unit);
  putDisk(machine, `${unit}/block/sda`);
  link(machine, `${unit}/block/sda/device`, unit);
  // SPC-4, 7.8.6: a vendor-specific designator, then the T10 one that Linux makes for ATA: vendor, model and
  // serial number.
  const t10 = `${"ATA".padEnd(8)}${"QEMU HARDDISK".padEnd(40)}${"QM00001".padEnd(20)}`;
  const page = [
    0,
    0x83,
    0,
    0,
    2,
    0,
    0,
    7,
    ...Buffer.from("QM00001"),
    2,
    1,
    0,
    t10.length,
    ...Buffer.from(t10),
  ];
  page[3] = page.length - 4;
  machine.files.put(`${unit}/vpd_pg83`, "file", { bytes: Uint8Array.from(page) });
  const usb = "/sys/devices/pci0000:00/0000:00:1f.2/usb1/1-1";
  put(machine, usb, {
    ...{ uevent: "DEVNAME=bus/usb/001/002\nDEVTYPE=usb_device", busnum: "1", devnum: "2" },
    ...{ idVendor: "0627", idProduct: "0001", manufacturer: "QEMU", product: "QEMU USB Tablet" },
  });
  link(machine, "/sys/bus/usb/devices/1-1", usb);
  put(machine, `${usb}/1-1:1.0`, {
    ...{ bInterfaceNumber: "00", bInterfaceClass: "03", bInterfaceSubClass: "01", bInterfaceProtocol: "10" },
  });
  link(machine, "/sys/bus/usb/devices/1-1:1.0", `${usb}/1-1:1.0`);
  // Neither has a place in libvirt's list.
  putDisk(machine, "/sys/devices/virtual/block/loop0");
  putText(machine, "/sys/class/net/bonding_masters", "\n");
  const board = {
    sys_vendor: "QEMU",
    product_name: "Standard PC",
    bios_vendor: "SeaBIOS",
    bios_date: "04/01/2014",
  };
  put(machine, "/sys/class/dmi/id", { ...board, product_uuid: "A25C794C-34AD-11B2-A85C-B030533115B8" });
}

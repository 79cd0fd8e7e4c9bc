import { beforeEach, describe, expect, test } from "bun:test";
import { readRecord } from "../../../src/state/record.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { pciFolder, putMediated, putPciDevices } from "../../scenes/pci.ts";
import {
  domainXml,
  errorOf,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  putNode,
  putText,
  UUID,
} from "../../scenes/scene.ts";

const OTHER = "11111111-2222-4333-8444-000000000002";
const USB_BY_ID =
  "<hostdev type='usb'><source><vendor id='0x0627'/><product id='0x0001'/></source></hostdev>";
const USB_BY_PLACE = "<hostdev type='usb'><source><address bus='1' device='2'/></source></hostdev>";
const SCSI =
  "<controller type='scsi' model='virtio-scsi'/><hostdev type='scsi'>HEAD<source><adapter name='scsi_host2'/><address bus='0' target='0' unit='0'/></source></hostdev>";
const PCI =
  "<hostdev type='pci'><source><address domain='0' bus='6' slot='0' function='0'/></source></hostdev>";
const MDEV =
  "<hostdev type='mdev' model='vfio-pci'><source><address uuid='53764d0e-85a0-42b4-af5c-2046b460b1dc'/></source></hostdev>";
const VHOST = "<hostdev type='scsi_host'><source protocol='vhost' wwpn='naa.5123456789abcde0'/></hostdev>";
const TPM = "<tpm><backend type='passthrough'/></tpm>";
const PCI_NAME = "0000:06:00.0";
const PCI_DEVICE = pciFolder(PCI_NAME);
const MDEV_NAME = "53764d0e-85a0-42b4-af5c-2046b460b1dc";
const FOLDER = `/run/svirt/${UUID}/guest`;

let machine: Machine;

beforeEach(() => {
  machine = makeMachine();
  putUsb("1-1", { busnum: "1", devnum: "2", idVendor: "0627", idProduct: "0001" });
  putNode(machine, "/dev/bus/usb/001/002", { node: "189:1", type: "usb_device_t" });
  putText(machine, "/sys/bus/scsi/devices/2:0:0:0/scsi_generic/sg1/dev", "21:1\n");
  putNode(machine, "/dev/sg1", { node: "21:1", type: "scsi_generic_device_t" });
  putPciDevices(machine, [{ name: PCI_NAME, group: "12", driver: "vfio-pci" }]);
  putMediated(machine, MDEV_NAME, "12");
  putNode(machine, "/dev/vhost-scsi", { node: "10:121", type: "vhost_device_t" });
  putNode(machine, "/dev/tpm0", { node: "10:224", type: "tpm_device_t" });
  putText(machine, "/sys/class/tpm/tpm0/device/cancel", "");
  machine.files
    .get("/sys/class/tpm/tpm0/device/cancel")
    .xattrs.set("security.selinux", "system_u:object_r:sysfs_t:s0");
  putNode(machine, "/dev/null", { node: "1:3", type: "null_device_t", mode: 0o666 });
});

function putUsb(name: string, fields: Readonly<Record<string, string>>): void {
  for (const [field, text] of Object.entries(fields))
    putText(machine, `/sys/bus/usb/devices/${name}/${field}`, `${text}\n`);
}

/**
 * Starts a guest with these devices and ends it. Returns labels and arguments, and expects the machine as
 * before.
 */
async function run(devices: string, paths: readonly string[]) {
  const before = snapshot(machine);
  await startDomain(nodeOn(machine), domainXml({ devices }));
  const record = readRecord(nodeOn(machine), UUID);
  const words = (machine.processes.qemuOf(UUID)?.words ?? []).join(" ");
  const labels = paths.map((path) => labelOf(machine, path));
  expect(machine.violations).toEqual([]);
  await destroyDomain(nodeOn(machine), "vm1");
  expect(snapshot(machine)).toEqual(before);
  return { words, labels, imageLabel: record?.label.imageLabel, record };
}

// security_selinux.c virSecuritySELinuxSetHostdevSubsysLabel() and SetTPMFileLabel() of libvirt: the label of
// each device.
describe("a guest has to itself", () => {
  test.each<[string, { devices: string; path: string; words: RegExp }]>([
    [
      "a USB device by its place",
      {
        devices: USB_BY_PLACE,
        path: "/dev/bus/usb/001/002",
        words: /"driver":"usb-host","hostdevice":"\/dev\/fdset\/\d+"/,
      },
    ],
    [
      "a USB device by what it is",
      {
        devices: USB_BY_ID,
        path: "/dev/bus/usb/001/002",
        words: /"driver":"usb-host","hostdevice":"\/dev\/fdset\/\d+"/,
      },
    ],
    [
      "a SCSI device",
      {
        devices: SCSI.replace("HEAD", ""),
        path: "/dev/sg1",
        words: /"driver":"host_device","filename":"\/proc\/self\/fd\/\d+"/,
      },
    ],
    [
      "a PCI device's group",
      {
        devices: PCI,
        path: "/dev/vfio/12",
        words: new RegExp(`"driver":"vfio-pci","sysfsdev":"${FOLDER}/${PCI_NAME}"`),
      },
    ],
    [
      "a mediated device's group",
      {
        devices: MDEV,
        path: "/dev/vfio/12",
        words: new RegExp(`"driver":"vfio-pci","id":"hostdev0","sysfsdev":"${FOLDER}/${MDEV_NAME}"`),
      },
    ],
    [
      "a TPM",
      {
        devices: TPM,
        path: "/dev/tpm0",
        words: /passthrough,id=tpm-tpm0,path=\/dev\/fdset\/\d+,cancel-path=\/dev\/fdset\/\d+/,
      },
    ],
    [
      "what cancels its commands",
      { devices: TPM, path: "/sys/class/tpm/tpm0/device/cancel", words: /cancel-path/ },
    ],
  ])("%s", async (_, { devices, path, words }) => {
    const ran = await run(devices, [path]);
    expect(ran.labels).toEqual([ran.imageLabel]);
    expect(ran.words).toMatch(words);
  });

  test("two devices of one group", async () => {
    const ran = await run(PCI + MDEV, ["/dev/vfio/12"]);
    expect(ran.labels).toEqual([ran.imageLabel]);
  });
});

describe("a SCSI device", () => {
  test.each([
    ["<readonly/>", "system_u:object_r:virt_content_t:s0"],
    ["<shareable/>", "system_u:object_r:svirt_image_t:s0"],
  ])("with %s has the label that guests share", async (head, label) => {
    machine.sharedFiles.add("/dev/sg1");
    const xml = SCSI.replace("HEAD", head);
    const before = snapshot(machine);
    await startDomain(nodeOn(machine), domainXml({ devices: xml }));
    await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, devices: xml }));
    expect(labelOf(machine, "/dev/sg1")).toBe(label);
    expect(machine.violations).toEqual([]);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(labelOf(machine, "/dev/sg1")).toBe(label);
    await destroyDomain(nodeOn(machine), "vm2");
    expect(snapshot(machine)).toEqual(before);
  });

  // Both starts run at once: neither may write its copy of the list over the other's entry.
  test("gets and loses its guests' entries in its ACL under the registry's lock alone", async () => {
    machine.sharedFiles.add("/dev/sg1");
    const devices = SCSI.replace("HEAD", "<shareable/>");
    const node = nodeOn(machine);
    await Promise.all([
      startDomain(node, domainXml({ devices })),
      startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, devices })),
    ]);
    expect(node.svirt.changes).toContain("revokeAccess");
    expect(machine.violations).toEqual([]);
    await destroyDomain(nodeOn(machine), "vm1");
    await destroyDomain(nodeOn(machine), "vm2");
    expect(machine.files.get("/dev/sg1").acl.size).toBe(0);
  });

  test("that is not there is refused by its address", async () => {
    const error = await failedStart(machine, { devices: SCSI.replace("HEAD", "").replace("host2", "host7") });
    expect(error.message).toStartWith(
      "Cannot find the SCSI device /sys/bus/scsi/devices/7:0:0:0/scsi_generic",
    );
  });
});

test("each vhost-scsi device has a descriptor of its own, and the node the label that guests share", async () => {
  const two = VHOST + VHOST.replace("cde0", "cde1");
  const { labels, words } = await run(two, ["/dev/vhost-scsi"]);
  expect(labels).toEqual(["system_u:object_r:svirt_image_t:s0"]);
  const numbers = [...words.matchAll(/"vhostfd":"(\d+)"/g)].map(([, fd]) => fd);
  expect(new Set(numbers).size).toBe(2);
  expect(words).not.toContain("fd=3,set=3");
});

test("a TPM that cannot be cancelled is given the end of all files instead", async () => {
  machine.files.remove("/sys/class/tpm/tpm0/device/cancel");
  const { labels } = await run(TPM, ["/dev/null"]);
  expect(labels).toEqual(["system_u:object_r:null_device_t:s0"]);
});

describe("a USB device", () => {
  // libvirt hostdev: virHostdevFindUSBDevice(), "Multiple USB devices for %1$x:%2$x"
  test("that is there twice must be named by its place", async () => {
    putUsb("1-2", { busnum: "1", devnum: "3", idVendor: "0627", idProduct: "0001" });
    const error = await failedStart(machine, { devices: USB_BY_ID });
    expect(error).toMatchObject({
      kind: "unsupported",
      message: "Cannot choose a USB device: Multiple USB devices for 0627:0001",
      remedy: "Write <address bus='…' device='…'/>, one of 1/2, 1/3.",
    });
  });

  test.each(["optional", "requisite"])(
    "that is not there is left out if its policy is %s",
    async (policy) => {
      const devices = USB_BY_ID.replace("<source>", `<source startupPolicy='${policy}'>`).replace(
        "0627",
        "ffff",
      );
      const { words } = await run(devices, []);
      expect(words).not.toContain("usb-host");
    },
  );

  test("that is not there is refused", async () => {
    const error = await failedStart(machine, { devices: USB_BY_ID.replace("0627", "ffff") });
    expect(error).toMatchObject({ kind: "not-found" });
  });

  test("stands in the running guest's XML with its place", async () => {
    const { record } = await run(USB_BY_ID, []);
    expect(record?.xml).toContain(`<address bus="1" device="2"/>`.replaceAll('"', "'"));
  });
});

describe("a PCI device is refused", () => {
  test("while the host uses it, with the command that takes it from its driver", async () => {
    putPciDevices(machine, [{ name: PCI_NAME, group: "12", driver: "e1000e" }]);
    expect(await failedStart(machine, { devices: PCI })).toMatchObject({
      kind: "wrong-state",
      message: `Cannot pass ${PCI_DEVICE} through: the host uses it (driver e1000e)`,
      remedy: "Write managed='yes', or run: driverctl set-override 0000:06:00.0 vfio-pci",
    });
  });

  test("without an IOMMU", async () => {
    machine.files.remove(`${PCI_DEVICE}/iommu_group`);
    expect(await failedStart(machine, { devices: PCI })).toMatchObject({ kind: "wrong-state" });
  });

  test("without the kernel's module for it", async () => {
    machine.files.remove("/sys/module/vfio_iommu_type1");
    expect(await failedStart(machine, { devices: PCI })).toMatchObject({
      kind: "wrong-state",
      remedy: "Run: modprobe vfio_iommu_type1",
    });
  });

  // Linux drivers/iommu/iommu.c iommu_group_claim_dma_owner(): a group is assigned to a guest as a whole.
  test("beside what the host uses in its group, with the list of that", async () => {
    putPciDevices(machine, [
      { name: "0000:06:00.1", group: "12", driver: "snd_hda_intel" },
      { name: "0000:06:00.2", group: "12", driver: "vfio-pci" },
      { name: "0000:06:00.3", group: "12" },
      { name: "0000:06:00.4", group: "12", driver: "xhci_hcd" },
      { name: "0000:00:1c.0", group: "12", driver: "pcieport" },
    ]);
    expect(await failedStart(machine, { devices: PCI })).toMatchObject({
      kind: "wrong-state",
      message: `Cannot pass ${PCI_DEVICE} through: its IOMMU group has other devices that the host uses: 0000:06:00.1 (snd_hda_intel), 0000:06:00.4 (xhci_hcd)`,
    });
  });
});

describe("a guest with VFIO", () => {
  // qemu.git hw/vfio/container.c: the group and, once, /dev/vfio/vfio are opened by name.
  test("shares the node that puts groups under an IOMMU, and finds its group in its own folder", async () => {
    await startDomain(nodeOn(machine), domainXml({ devices: PCI + MDEV }));
    expect(labelOf(machine, "/dev/vfio/vfio")).toBe("system_u:object_r:svirt_image_t:s0");
    const links = [`${PCI_NAME}/iommu_group`, `${MDEV_NAME}/iommu_group`, `${MDEV_NAME}/subsystem`];
    expect(links.map((name) => machine.files.find(`${FOLDER}/${name}`, false)?.inode.target)).toEqual([
      "/sys/kernel/iommu_groups/12",
      "/sys/kernel/iommu_groups/12",
      "/sys/bus/mdev",
    ]);
    expect(machine.files.find(`${FOLDER}/${PCI_NAME}/subsystem`, false)).toBeUndefined();
  });

  test("keeps another one from its group, but not from its own", async () => {
    putPciDevices(machine, [{ name: "0000:07:00.0", group: "13", driver: "vfio-pci" }]);
    const before = snapshot(machine);
    await startDomain(nodeOn(machine), domainXml({ devices: PCI }));
    const other = PCI.replace("bus='6'", "bus='7'");
    await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, devices: other }));
    await destroyDomain(nodeOn(machine), "vm1");
    expect(labelOf(machine, "/dev/vfio/vfio")).toBe("system_u:object_r:svirt_image_t:s0");
    await destroyDomain(nodeOn(machine), "vm2");
    expect(snapshot(machine)).toEqual(before);
    expect(machine.violations).toEqual([]);
  });
});

test.each([
  ["USB", USB_BY_PLACE],
  ["SCSI", SCSI.replace("HEAD", "")],
  ["PCI", PCI],
  ["TPM", TPM],
])("a %s device that one guest has no other gets", async (_, devices) => {
  await startDomain(nodeOn(machine), domainXml({ devices }));
  const before = snapshot(machine);
  const second = domainXml({ name: "vm2", uuid: OTHER, devices });
  expect(await errorOf(startDomain(nodeOn(machine), second))).toMatchObject({ kind: "in-use" });
  expect(snapshot(machine)).toEqual(before);
});

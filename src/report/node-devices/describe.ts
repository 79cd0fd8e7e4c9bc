import type { Host } from "../../host/host.ts";
import { type Draft, parentDraft, textDraft } from "../../xml/draft.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { getHostUuid } from "../host-uuid.ts";
import { boundDriver, type DeviceType, type NodeDevice, nodeOf } from "./list.ts";
import { describePci, named } from "./pci.ts";
import { describeStorage } from "./storage.ts";
import { baseOf, capabilityDraft, linkDrafts, readFact, readNumber, texts, ueventOf } from "./sysfs.ts";

/** Names of SCSI devices by their types. udevGetSCSIType() of libvirt, scsi/scsi_proto.h of Linux */
const SCSI_TYPES: ReadonlyMap<number, string> = new Map([
  [0, "disk"],
  [1, "tape"],
  [3, "processor"],
  [4, "worm"],
  [5, "cdrom"],
  [6, "scanner"],
  [7, "mod"],
  [8, "changer"],
  [12, "raid"],
  [13, "enclosure"],
]);

/** Formats libvirt's `<device>`. https://libvirt.org/formatnode.html */
export function formatNodeDevice(host: Host, { name, parent, path = "", type }: NodeDevice): string {
  const node = nodeOf(host, path);
  const devnode = textDraft("devnode", node ?? "");
  devnode.attributes.set("type", "dev");
  const driver = boundDriver(host, path);
  return formatDocument(
    parentDraft("device", [
      textDraft("name", name),
      ...(path === "" ? [] : [textDraft("path", path)]),
      ...(node === undefined ? [] : [devnode]),
      ...texts({ parent }),
      ...(driver === undefined ? [] : [parentDraft("driver", [textDraft("name", driver)])]),
      capabilityDraft(type, DESCRIPTIONS[type](host, path)),
    ]),
  );
}

/**
 * Lists a device's capabilities: its kind, and what it can do besides. virNodeDeviceObjHasCap() of libvirt
 */
export function listCapabilities(host: Host, { path = "", type }: NodeDevice): readonly string[] {
  if (type !== "scsi_host") return [type];
  const name = baseOf(path);
  const has = (file: string): boolean => host.inspectFile(file) !== undefined;
  return [
    type,
    ...(has(`/sys/class/fc_host/${name}/port_name`) ? ["fc_host"] : []),
    ...(has(vportsOf(name)) ? ["vports"] : []),
  ];
}

const DESCRIPTIONS: Readonly<Record<DeviceType, (host: Host, path: string) => readonly Draft[]>> = {
  system: describeSystem,
  pci: describePci,
  usb_device: describeUsbDevice,
  usb: describeUsb,
  net: describeNet,
  scsi_host: describeScsiHost,
  scsi_target: (_, path) => texts({ target: baseOf(path) }),
  scsi: describeScsi,
  storage: describeStorage,
  scsi_generic: (host, path) => texts({ char: nodeOf(host, path) }),
};

function describeSystem(host: Host): readonly Draft[] {
  const read = (name: string): string | undefined => readFact(host, `/sys/class/dmi/id/${name}`);
  const hardware = {
    vendor: read("sys_vendor"),
    version: read("product_version"),
    serial: read("product_serial"),
    uuid: getHostUuid(host),
  };
  const firmware = {
    vendor: read("bios_vendor"),
    version: read("bios_version"),
    release_date: read("bios_date"),
  };
  return [
    ...texts({ product: read("product_name") }),
    parentDraft("hardware", texts(hardware)),
    { ...parentDraft("firmware", texts(firmware)), isPaired: true },
  ];
}

function describeUsbDevice(host: Host, path: string): readonly Draft[] {
  const id = (file: string): number => readNumber(host, `${path}/${file}`, 16) ?? 0;
  return [
    ...texts({ bus: readNumber(host, `${path}/busnum`), device: readNumber(host, `${path}/devnum`) }),
    named("product", id("idProduct"), readFact(host, `${path}/product`)),
    named("vendor", id("idVendor"), readFact(host, `${path}/manufacturer`)),
  ];
}

function describeUsb(host: Host, path: string): readonly Draft[] {
  const read = (name: string): number | undefined => readNumber(host, `${path}/bInterface${name}`, 16);
  return texts({
    number: read("Number"),
    class: read("Class"),
    subclass: read("SubClass"),
    protocol: read("Protocol"),
  });
}

/** Describes a network device without the features of ethtool(8), which only a system call reads. */
function describeNet(host: Host, path: string): readonly Draft[] {
  const isWireless = ueventOf(host, path, "DEVTYPE") === "wlan";
  return [
    ...texts({ interface: baseOf(path), address: readFact(host, `${path}/address`) }),
    ...linkDrafts(host, path),
    capabilityDraft(isWireless ? "80211" : "80203"),
  ];
}

function describeScsiHost(host: Host, path: string): readonly Draft[] {
  const name = baseOf(path);
  const wwn = (file: string): string | undefined =>
    readFact(host, `/sys/class/fc_host/${name}/${file}`)?.replace(/^0x/, "");
  const port = wwn("port_name");
  const fibre = texts({ wwnn: wwn("node_name"), wwpn: port, fabric_wwn: wwn("fabric_name") });
  const most = readNumber(host, vportsOf(name));
  const vports = texts({
    max_vports: most,
    vports: readNumber(host, vportsOf(name).replace("max_npiv_vports", "npiv_vports_inuse")),
  });
  return [
    ...texts({
      host: name.replace(/^host/, ""),
      unique_id: readNumber(host, `/sys/class/scsi_host/${name}/unique_id`),
    }),
    ...(port === undefined ? [] : [capabilityDraft("fc_host", fibre)]),
    ...(most === undefined ? [] : [capabilityDraft("vport_ops", vports)]),
  ];
}

function vportsOf(name: string): string {
  return `/sys/class/fc_host/${name}/max_npiv_vports`;
}

function describeScsi(host: Host, path: string): readonly Draft[] {
  const [controller, bus, target, lun] = baseOf(path).split(":");
  const type = SCSI_TYPES.get(readNumber(host, `${path}/type`) ?? -1);
  return texts({ host: controller, bus, target, lun, type });
}

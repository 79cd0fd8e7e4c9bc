import { choice } from "../../../xml/choice.ts";
import { checked, dropped, element, refused, type ValueOf } from "../../../xml/element.ts";
import { attribute, child, children, flag, required, textOf } from "../../../xml/field.ts";
import type { XmlNode } from "../../../xml/node.ts";
import { notUnderstood } from "../../../xml/refusal.ts";
import { integer, matching, oneOf, onOff, yesNo } from "../../../xml/value-form.ts";
import { diskAddress } from "../../forms/address.ts";
import { alias } from "../../forms/alias.ts";
import { bootOrder } from "../../forms/boot-order.ts";
import { iotune } from "../../forms/iotune.ts";
import { auth, encryption } from "../../forms/secret.ts";
import {
  dirSource,
  diskBlockSource,
  diskFileSource,
  networkImage,
  nvmeSource,
  vhostUserSource,
  vhostVdpaSource,
  volumeSource,
} from "../../forms/source/disk.ts";
import { lineOfText, objectName } from "../../forms/text.ts";
import { virtioModel } from "../../forms/virtio-driver.ts";
import { backingStore } from "./backing-store.ts";
import { diskDriver } from "./driver.ts";

const target = element("target", () => ({
  dev: required(
    attribute("dev", matching(/^(?:hd|sd|vd|fd|xvd|ubd)[a-z]{1,3}$/, "a name such as vda, sda, hda or fda")),
  ),
  bus: attribute("bus", oneOf("virtio", "ide", "sata", "scsi", "usb", "fdc", "sd")),
  tray: attribute("tray", oneOf("open", "closed")),
  removable: attribute("removable", onOff),
  rotationRate: attribute("rotation_rate", integer(1, 65535)),
}));

const count = integer(1, 2 ** 31 - 1);
const geometry = element("geometry", () => ({
  cylinders: required(attribute("cyls", count)),
  heads: required(attribute("heads", count)),
  sectors: required(attribute("secs", count)),
  translation: attribute("trans", oneOf("auto", "none", "lba")),
}));
const blockSize = integer(0, 2 ** 31 - 1);
const blockio = element("blockio", () => ({
  logicalBlockSize: attribute("logical_block_size", blockSize),
  physicalBlockSize: attribute("physical_block_size", blockSize),
  discardGranularity: attribute("discard_granularity", blockSize),
}));
const throttleFilter = element("throttlefilter", () => ({ group: required(attribute("group", objectName)) }));
const throttleFilters = element("throttlefilters", () => ({ filters: children(throttleFilter) }));
const transient = element("transient", () => ({ shareBacking: attribute("shareBacking", yesNo) }));

const head = {
  device: attribute("device", oneOf("disk", "cdrom", "floppy", "lun")),
  model: attribute("model", virtioModel),
  rawio: attribute("rawio", yesNo),
  sgio: attribute("sgio", oneOf("filtered")),
  snapshot: attribute("snapshot", oneOf("no", "internal", "external", "manual")),
  driver: child(diskDriver),
};
const tail = {
  backingStore: child(backingStore),
  geometry: child(geometry),
  blockio: child(blockio),
  target: required(child(target)),
  iotune: child(iotune),
  throttleFilters: child(throttleFilters),
  readonly: flag("readonly"),
  shareable: flag("shareable"),
  transient: child(transient),
  serial: textOf("serial", lineOfText),
  wwn: textOf("wwn", matching(/^(?:0x)?[0-9a-fA-F]{16}$/, "a World Wide Name of 16 hexadecimal digits")),
  vendor: textOf("vendor", matching(/^[ -~]{1,8}$/, "at most 8 printable characters")),
  product: textOf("product", matching(/^[ -~]{1,40}$/, "at most 40 printable characters")),
  encryption,
  boot: bootOrder,
  alias,
  address: child(diskAddress),
};

/** `<disk>`, https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms */
export const disk = checked(
  choice("disk", {
    attribute: "type",
    absent: "file",
    of: () => ({
      file: { ...head, source: child(diskFileSource), ...tail },
      block: { ...head, source: child(diskBlockSource), ...tail },
      dir: { ...head, source: required(child(dirSource)), ...tail },
      network: { ...head, auth, source: required(child(networkImage)), ...tail },
      volume: { ...head, auth, source: required(child(volumeSource)), ...tail },
      nvme: { ...head, source: required(child(nvmeSource)), ...tail },
      vhostuser: { ...head, source: required(child(vhostUserSource)), ...tail },
      vhostvdpa: { ...head, source: required(child(vhostVdpaSource)), ...tail },
    }),
    exceptions: [
      dropped("mirror", "a block copy belongs to a running guest, and so to no definition"),
      refused("backenddomain", "it is for another hypervisor"),
    ],
  }),
  (value, node) => {
    refuseEmpty(value, node);
    refuseForeign(value, node);
    refuseSaidTwice(value, node);
    refuseHalfVolume(value, node);
  },
);
export type Disk = ValueOf<typeof disk>;

function refuseEmpty(value: Disk, node: XmlNode): void {
  if (value.source !== undefined) return;
  if (value.device === "cdrom" || value.device === "floppy") return;
  throw notUnderstood({ node }, "only a CD-ROM or floppy drive may be empty", "Write <source> there.");
}

function refuseHalfVolume({ source, type }: Disk, node: XmlNode): void {
  if (type !== "file" && type !== "block") return;
  if ((source?.pool === undefined) === (source?.volume === undefined)) return;
  throw notUnderstood(
    { node, place: "source" },
    "it names a pool or a volume without the other",
    "Write type='volume' and <source pool='…' volume='…'/>.",
  );
}

// Target names with xvd or ubd stand for buses of other hypervisors. virDomainDiskDefParseXML() of libvirt
function refuseForeign({ target: { dev, bus } }: Disk, node: XmlNode): void {
  if (bus !== undefined || !/^(?:xvd|ubd)/.test(dev)) return;
  throw notUnderstood(
    { node, place: "target/@dev" },
    "its bus is for another hypervisor",
    "Write target/@bus.",
  );
}

// virDomainDiskDefParseXML() of libvirt: "an <auth> definition already found for the <disk> definition"
function refuseSaidTwice(value: Disk, node: XmlNode): void {
  const source = node.children.find(({ tag }) => tag === "source");
  for (const tag of ["auth", "encryption"]) {
    const again = source?.children.find((found) => found.tag === tag);
    if (again === undefined || !node.children.some((found) => found.tag === tag)) continue;
    throw notUnderstood({ node: again }, "the disk already has one", "Leave one of them out.");
  }
  if (value.iotune === undefined || value.throttleFilters === undefined) return;
  const why = "it cannot be combined with <iotune>";
  throw notUnderstood({ node, place: "throttlefilters" }, why, "Leave one of them out.");
}

import { choice } from "../xml/choice.ts";
import { checked, element, refused, type ValueOf } from "../xml/element.ts";
import { attribute, child, flag, required, textOf } from "../xml/field.ts";
import type { XmlNode } from "../xml/node.ts";
import { notUnderstood } from "../xml/refusal.ts";
import { matching, oneOf } from "../xml/value-form.ts";
import { diskAddress } from "./address.ts";
import { alias } from "./alias.ts";
import { backingStore, blockSource, fileSource, imageFormat } from "./backing-store.ts";
import { bootOrder } from "./boot-order.ts";
import { lineOfText } from "./words.ts";

const driver = element("driver", {
  name: attribute("name", oneOf("qemu")),
  type: attribute("type", imageFormat),
  cache: attribute("cache", oneOf("default", "none", "writeback", "writethrough", "directsync", "unsafe")),
  errorPolicy: attribute("error_policy", oneOf("stop", "report", "ignore", "enospace")),
  rerrorPolicy: attribute("rerror_policy", oneOf("stop", "report", "ignore")),
  io: attribute("io", oneOf("native", "threads", "io_uring")),
  discard: attribute("discard", oneOf("unmap", "ignore")),
  detectZeroes: attribute("detect_zeroes", oneOf("off", "on", "unmap")),
});
export type DiskDriver = ValueOf<typeof driver>;

const target = element("target", {
  dev: required(
    attribute("dev", matching(/^(?:hd|sd|vd|fd)[a-z]{1,3}$/, "a name such as vda, sda, hda or fda")),
  ),
  bus: attribute("bus", oneOf("virtio", "ide", "sata", "scsi", "usb", "fdc")),
  tray: attribute("tray", oneOf("open", "closed")),
});

const head = {
  device: attribute("device", oneOf("disk", "cdrom", "floppy")),
  driver: child(driver),
};
const tail = {
  backingStore: child(backingStore),
  target: required(child(target)),
  readonly: flag("readonly"),
  shareable: flag("shareable"),
  serial: textOf("serial", lineOfText),
  boot: bootOrder,
  alias,
  address: child(diskAddress),
};

/** `<disk>` of a file or a block device, https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms */
export const disk = checked(
  choice("disk", {
    attribute: "type",
    absent: "file",
    of: {
      file: { ...head, source: child(fileSource), ...tail },
      block: { ...head, source: child(blockSource), ...tail },
    },
    refused: {
      dir: "svirt cannot label a whole directory tree",
      network: "svirt does not open network images yet",
      volume: "svirt does not look volumes up yet",
      nvme: "svirt does not pass devices through yet",
      vhostuser: "svirt does not start vhost-user helpers yet",
      vhostvdpa: "svirt does not pass devices through yet",
    },
    exceptions: [
      refused("transient", "svirt does not make a transient disk's overlay yet"),
      refused("mirror", "svirt does not start with a block copy under way"),
      refused("iotune", "svirt does not limit a disk's speed yet"),
      refused("encryption", "svirt does not open encrypted images yet"),
    ],
  }),
  (value, node) => refuseEmpty(value, node),
);
export type Disk = ValueOf<typeof disk>;

/** The bus that the XML names or, as in libvirt, the one that the target's first two letters stand for. */
export function diskBus(value: Disk): NonNullable<Disk["target"]["bus"]> {
  if (value.target.bus !== undefined) return value.target.bus;
  return BUSES.get(value.target.dev.slice(0, 2)) ?? "virtio";
}

/** Whether the guest may only read it: said so, or a CD-ROM. */
export function isReadOnly(value: Disk): boolean {
  return value.readonly || value.device === "cdrom";
}

// virDiskNameToBusDeviceIndex() and virDomainDiskDefParseXML() of libvirt
const BUSES: ReadonlyMap<string, NonNullable<Disk["target"]["bus"]>> = new Map([
  ["hd", "ide"],
  ["sd", "scsi"],
  ["vd", "virtio"],
  ["fd", "fdc"],
]);

function refuseEmpty(value: Disk, node: XmlNode): void {
  if (value.source !== undefined) return;
  if (value.device === "cdrom" || value.device === "floppy") return;
  throw notUnderstood({ node }, "only a CD-ROM or floppy drive may be empty", "Write <source> there.");
}

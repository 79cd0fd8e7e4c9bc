import type { Host } from "../../host/host.ts";
import { driveTypeOf, serialOf } from "./storage.ts";
import { baseOf, readFact, realPath, ueventOf } from "./sysfs.ts";

/** Kinds of devices that svirt lists, by the names of their capabilities in libvirt. */
export type DeviceType =
  | "system"
  | "pci"
  | "usb_device"
  | "usb"
  | "net"
  | "scsi_host"
  | "scsi_target"
  | "scsi"
  | "storage"
  | "scsi_generic";

/** Device of the host. */
export interface NodeDevice {
  readonly name: string;
  readonly type: DeviceType;
  /** Folder in sysfs, without symbolic links; undefined for the computer. */
  readonly path: string | undefined;
  /** Device on the way to it; undefined for the computer. */
  readonly parent: string | undefined;
}

type Found = Required<Pick<NodeDevice, "name" | "type">> & { readonly path: string };

/** Name of the root of all devices. */
const COMPUTER: NodeDevice = { name: "computer", type: "system", path: undefined, parent: undefined };

/** Folders of sysfs with links to devices, and what each link is; undefined: no device of libvirt's list. */
const PLACES: readonly {
  readonly folder: string;
  readonly prefix: string;
  typeOf(name: string, host: Host, path: string): DeviceType | undefined;
  /** Returns the end of the device's name. */
  suffixOf?(host: Host, path: string): string | undefined;
}[] = [
  { folder: "/sys/bus/pci/devices", prefix: "pci", typeOf: () => "pci" },
  {
    folder: "/sys/bus/usb/devices",
    prefix: "usb",
    typeOf: (name) => (name.includes(":") ? "usb" : "usb_device"),
  },
  {
    folder: "/sys/class/net",
    prefix: "net",
    // The folder has files of the bonding driver too.
    typeOf: (_, host, path) => (ueventOf(host, path, "INTERFACE") === undefined ? undefined : "net"),
    suffixOf: (host, path) => readFact(host, `${path}/address`),
  },
  { folder: "/sys/bus/scsi/devices", prefix: "scsi", typeOf: scsiTypeOf },
  { folder: "/sys/class/scsi_generic", prefix: "scsi_generic", typeOf: () => "scsi_generic" },
  {
    folder: "/sys/block",
    prefix: "block",
    typeOf: (_, host, path) => (driveTypeOf(host, path) === undefined ? undefined : "storage"),
    suffixOf: serialOf,
  },
];

/** Lists the devices of the host by their names, with libvirt's names. node_device_udev.c of libvirt */
export function listNodeDevices(host: Host): readonly NodeDevice[] {
  const found = PLACES.flatMap((place) =>
    host.listFolder(place.folder).flatMap((name): readonly Found[] => {
      const path = realPath(host, `${place.folder}/${name}`);
      const type = path === undefined ? undefined : place.typeOf(name, host, path);
      if (path === undefined || type === undefined) return [];
      const parts = [place.prefix, name, place.suffixOf?.(host, path)];
      return [{ name: nameOf(parts.filter((part) => part !== undefined)), type, path }];
    }),
  );
  const names = new Map(found.map(({ name, path }) => [path, name]));
  const all = found.map((one) => ({ ...one, parent: parentOf(one.path, names) }));
  return [COMPUTER, ...all].toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** udevGenerateDeviceName() of libvirt */
function nameOf(parts: readonly string[]): string {
  return parts.join("_").replace(/[^a-zA-Z0-9]/g, "_");
}

/** Returns the nearest listed device with the device's folder inside its own. udevSetParent() of libvirt */
function parentOf(path: string, names: ReadonlyMap<string, string>): string {
  for (let above = upper(path); above !== ""; above = upper(above)) {
    const name = names.get(above);
    if (name !== undefined) return name;
  }
  return COMPUTER.name;
}

function upper(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function scsiTypeOf(name: string): DeviceType | undefined {
  if (/^host\d+$/.test(name)) return "scsi_host";
  if (name.startsWith("target")) return "scsi_target";
  return /^\d+:\d+:\d+:\d+$/.test(name) ? "scsi" : undefined;
}

/** Returns the node of a device below /dev; undefined if it has none. */
export function nodeOf(host: Host, path: string): string | undefined {
  const name = ueventOf(host, path, "DEVNAME");
  return name === undefined ? undefined : `/dev/${name}`;
}

/** Returns the driver of a device; undefined if it has none. */
export function boundDriver(host: Host, path: string): string | undefined {
  const driver = realPath(host, `${path}/driver`);
  return driver === undefined ? undefined : baseOf(driver);
}

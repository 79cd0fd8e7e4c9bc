import type { BackingStore } from "../devices/disk/backing-store.ts";
import type { Disk } from "../devices/disk/disk.ts";
import { diskBus } from "../devices/disk/facts.ts";
import { type DeviceRule, forEach, type UnimplementedRule } from "./rule.ts";

/** Whether another program serves the whole disk. */
const isServed = ({ type }: Disk): boolean => type === "vhostuser";
const isLocal = ({ type }: Disk | BackingStore): boolean =>
  type === "file" || type === "block" || type === "end";
/** Whether the image is on the host. A start replaces a volume by its file. */
const isOnHost = (disk: Disk): boolean => isLocal(disk) || disk.type === "volume";
const isRead = (format: string | undefined): boolean => ["raw", "qcow2"].includes(format ?? "raw");

const RULES: readonly DeviceRule<Disk>[] = [
  {
    place: "@type",
    missing: "present a folder as a disk",
    why: "QEMU would open files of that folder by name at any time",
    remedy: "Share the folder with <filesystem>, or make an image of it with mkisofs(1).",
    isAsked: ({ type }) => type === "dir",
  },
  {
    place: "@type",
    missing: "support disks of vDPA devices",
    remedy: "Write type='file' and <source file='…'/>, with the path of the image.",
    isAsked: ({ type }) => type === "vhostvdpa",
  },
  {
    place: "source/host/@transport",
    missing: "connect disks to Unix sockets except for vhost-user and NBD",
    remedy: "Have the server listen on TCP, and write transport='tcp', name and port.",
    isAsked: (disk) =>
      disk.type === "network" &&
      disk.source?.protocol !== "nbd" &&
      (disk.source?.hosts ?? []).some(({ transport }) => transport === "unix"),
  },
  {
    place: "source/@protocol",
    missing: "pass SSH keys to a guest",
    remedy: "Serve the image with qemu-nbd(8), and write protocol='nbd'.",
    isAsked: (disk) => disk.type === "network" && disk.source?.protocol === "ssh",
  },
  {
    place: "source/config",
    missing: "open a Ceph configuration file for a guest",
    remedy: "Leave <config> out of <source>, and write the monitors as <host name='…'/>.",
    isAsked: (disk) => disk.type === "network" && disk.source !== undefined && "config" in disk.source,
  },
  {
    place: "backingStore",
    missing: "read the backing chain of images that are not on the host",
    remedy: "Write <backingStore/> if the image has none, or <driver type='raw'/>.",
    isAsked: (disk) =>
      !isOnHost(disk) &&
      !isServed(disk) &&
      (disk.driver?.type ?? "raw") !== "raw" &&
      listStores(disk).at(-1)?.type !== "end",
  },
  {
    place: "backingStore/@type",
    missing: "open backing images other than files and block devices",
    remedy: "Copy the image to a file, and write type='file' and <source file='…'/>.",
    isAsked: (disk) => listStores(disk).some((store) => !isLocal(store)),
  },
  {
    place: "driver/@type",
    missing: "support images of formats other than raw and qcow2",
    remedy: "Convert the image to qcow2 with qemu-img(1), and write type='qcow2'.",
    isAsked: ({ driver }) => !isRead(driver?.type),
  },
  {
    place: "backingStore/format",
    missing: "support backing images of formats other than raw and qcow2, or set their metadata caches",
    remedy:
      "Convert the image to qcow2 with qemu-img(1), write <format type='qcow2'/>, and leave <metadata_cache> out.",
    isAsked: (disk) =>
      listStores(disk).some(
        (store) =>
          store.type !== "end" && (!isRead(store.format.type) || store.format.metadataCache !== undefined),
      ),
  },
  {
    place: "target/@bus",
    missing: "pass the image of an SD card to QEMU",
    remedy: "Write bus='usb'.",
    isAsked: (disk) => diskBus(disk) === "sd",
  },
  {
    place: "source/dataStore",
    missing: "open external data of images that is not on the host",
    remedy: "Copy the data to a file, and write <dataStore type='file'> with <source file='…'/>.",
    isAsked: (disk) => listSources(disk).some(hasFarData),
  },
  {
    place: "source/reservations",
    missing: "connect to a helper for persistent reservations",
    isAsked: (disk) => listSources(disk).some((source) => "reservations" in source),
  },
  {
    place: "@rawio",
    missing: "let QEMU send raw SCSI commands",
    why: "that requires the capability CAP_SYS_RAWIO, and QEMU has no capabilities",
    remedy: "Write rawio='no'.",
    isAsked: ({ rawio }) => rawio === true,
  },
];

/** Rules for features of disks not implemented by a start yet. */
export const DISK_RULES: readonly UnimplementedRule[] = forEach(
  "disk",
  ({ devices }) => devices.disks,
  RULES,
);

function listStores({ backingStore }: Disk): readonly BackingStore[] {
  const stores: BackingStore[] = [];
  for (
    let next = backingStore;
    next !== undefined;
    next = next.type === "end" ? undefined : next.backingStore
  ) {
    stores.push(next);
  }
  return stores;
}

type Source = NonNullable<Disk["source"]>;

function listSources(disk: Disk): readonly Source[] {
  const stores = listStores(disk).flatMap((store) => (store.type === "end" ? [] : [store.source]));
  return [...(disk.source === undefined ? [] : [disk.source]), ...stores];
}

/** Whether the image or its data are not on the host: svirt opens and labels only local files. */
function hasFarData(source: Source): boolean {
  if (!("dataStore" in source) || source.dataStore === undefined) return false;
  return source.dataStore.type === "network" || !("file" in source || "dev" in source);
}

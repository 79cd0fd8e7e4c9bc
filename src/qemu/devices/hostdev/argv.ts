import type { HostDevice, HostDeviceOf } from "../../../domain/devices/hostdev.ts";
import type { InterfaceOf } from "../../../domain/devices/network/interface.ts";
import { hostPciName } from "../../../domain/forms/host-pci.ts";
import { mdevPath, scsiPath, usbNode } from "../../../domain/resources/passthrough-paths.ts";
import { type Arguments, jsonArguments, onOffWord } from "../../argument/argument.ts";
import type { BootIndexes } from "../../argument/boot-index.ts";
import { acpiKeys, controllerId, pciKeys, romKeys, usbKeys } from "../../argument/bus-properties.ts";
import { virtioDriver } from "../../argument/virtio-properties.ts";
import { deviceNumber } from "../../device-number.ts";
import { type Launch, lockingKeys, passedName } from "../../launch.ts";
import { controllersOf, type Guest } from "../../model/guest.ts";
import { devicePath, hostDependent } from "../../refusal.ts";
import { nextNodeNumber } from "../disk/argv.ts";
import type { FoundChains } from "../disk/chain.ts";
import { remoteSource } from "../disk/image-source.ts";
import { drivePlace, scsiPlaceKeys } from "../disk/place.ts";
import { refuseHostdevs } from "./rules.ts";

/** Context of a host device's arguments, in addition to the guest. */
interface HostdevFacts {
  readonly boot: BootIndexes;
  readonly chains: FoundChains | undefined;
  readonly launch: Launch | undefined;
  /** Number of the first SCSI device's block node; by default, after the disks' nodes. */
  readonly firstNode?: number;
}

/**
 * A device with its id: hostdev0 and so on, devices of `<interface>` first. qemuAssignDeviceHostdevAlias() of
 * libvirt
 */
interface Named<D> {
  readonly device: D;
  readonly id: string;
  readonly path: string;
}

/** -device for each passed-through host device. qemuBuildHostdevCommandLine() of libvirt */
export function formatHostdevs(guest: Guest, { boot, chains, firstNode, launch }: HostdevFacts): Arguments {
  refuseHostdevs(guest);
  const { hostdevs, interfaces } = guest.devices;
  const networks = interfaces.flatMap((device, index) =>
    device.type === "hostdev" ? [{ device, path: devicePath("interface", index) }] : [],
  );
  const others = hostdevs.map((device, index) => ({ device, path: devicePath("hostdev", index) }));
  let node = firstNode ?? nextNodeNumber(guest, chains);
  const all = [...networks, ...others];
  const family = all.map(({ device }) => device);
  return all.flatMap(({ device, path }, index) => {
    const id = device.alias ?? `hostdev${deviceNumber(family, index)}`;
    if (device.address?.type === "unassigned") return [];
    const bootindex = boot.get(device);
    if (device.type !== "scsi") return formatHostdev(guest, { device, path, id }, { bootindex, launch });
    node += 1;
    return formatScsi(guest, { device, path, id }, { node: node - 1, bootindex, launch });
  });
}

/** Returns the keys for a host device's address in the guest. */
export function hostdevPlace(guest: Guest, device: HostDevice | InterfaceOf<"hostdev">): object {
  if (device.type === "scsi") return scsiKeys(guest, device);
  switch (device.address?.type) {
    case "pci":
      return pciKeys(guest, device.address);
    case "usb":
      return usbKeys(guest, device.address);
    default:
      return {};
  }
}

function formatHostdev(
  guest: Guest,
  { device, id }: Named<Exclude<HostDevice, { readonly type: "scsi" }> | InterfaceOf<"hostdev">>,
  { bootindex, launch }: Pick<HostdevFacts, "launch"> & { readonly bootindex: number | undefined },
): Arguments {
  const place =
    device.type === "usb" || device.address?.type !== "pci"
      ? {}
      : { ...hostdevPlace(guest, device), ...acpiKeys(device.acpi) };
  switch (device.type) {
    case "hostdev":
    case "pci":
      return jsonArguments("-device", {
        driver: vfioDriver(device),
        ...(launch === undefined
          ? { host: hostPciName(device.source.address) }
          : { sysfsdev: `${launch.folder}/${hostPciName(device.source.address)}` }),
        id,
        bootindex,
        failover_pair_id: device.teaming?.type === "transient" ? device.teaming.persistent : undefined,
        ...displayKeys(device),
        ...place,
        ...romKeys(device.rom),
      });
    case "mdev":
      return jsonArguments("-device", {
        driver: vfioDriver(device),
        id,
        sysfsdev:
          launch === undefined
            ? mdevPath(device.source.address.uuid)
            : `${launch.folder}/${device.source.address.uuid}`,
        bootindex,
        ...displayKeys(device),
        ...place,
      });
    case "usb":
      return jsonArguments("-device", {
        driver: "usb-host",
        hostdevice: passedName(launch, {
          path: usbNode(device.source.address) ?? "",
          purpose: "usb",
          access: "read-write",
        }),
        id,
        bootindex,
        ...resetKeys(device),
        ...hostdevPlace(guest, device),
      });
    case "scsi_host":
      return jsonArguments("-device", {
        driver: virtioDriver("vhost-scsi", device.model),
        wwpn: device.source.wwpn,
        vhostfd: String(vhostNumber(device.source.wwpn, launch)),
        id,
        bootindex,
        ...place,
      });
  }
}

/**
 * Descriptor of vhost-scsi, a descriptor for each device; without a launch, the number in libvirt's tests.
 */
function vhostNumber(wwpn: string, launch: Launch | undefined): number {
  return launch?.descriptors.find(({ owner }) => owner === wwpn)?.fd ?? 3;
}

type Vfio = HostDeviceOf<"pci" | "mdev"> | InterfaceOf<"hostdev">;

/** QEMU supports ramfb only on a device that cannot be unplugged. */
function vfioDriver(device: Vfio): string {
  return "ramfb" in device && device.ramfb === true ? "vfio-pci-nohotplug" : "vfio-pci";
}

function displayKeys(device: Vfio): { readonly display?: string; readonly ramfb?: boolean } {
  const display = "display" in device ? device.display : undefined;
  return {
    ...(display === undefined ? {} : { display: onOffWord(display) }),
    ...("ramfb" in device && device.ramfb === true ? { ramfb: true } : {}),
  };
}

function resetKeys({ source }: HostDeviceOf<"usb">): object {
  if (source.guestReset === undefined) return {};
  if (source.guestReset === "off") return { "guest-reset": false };
  return { "guest-reset": true, "guest-resets-all": source.guestReset === "on" };
}

function formatScsi(
  guest: Guest,
  named: Named<HostDeviceOf<"scsi">>,
  { node, bootindex, launch }: { readonly node: number } & Parameters<typeof formatHostdev>[2],
): Arguments {
  const { device, id } = named;
  const name = `libvirt-${node}-backend`;
  const source = scsiSource(named, launch);
  const backend = { ...source, "node-name": name, "read-only": device.readonly };
  const keys = { driver: "scsi-generic", drive: name, id, bootindex, ...hostdevPlace(guest, device) };
  return [...jsonArguments("-blockdev", backend), ...jsonArguments("-device", keys)];
}

function scsiSource(
  { device: { readonly, source }, path }: Named<HostDeviceOf<"scsi">>,
  launch: Launch | undefined,
): object {
  if (source.protocol === "adapter") {
    if (launch === undefined) {
      const why = "the device node is known only at a start";
      throw hostDependent(
        `${path}/source/adapter`,
        why,
        "Pass the disk as <disk type='block' device='lun'>.",
      );
    }
    const access = readonly ? "read-only" : "read-write";
    return {
      driver: "host_device",
      filename: passedName(launch, { path: scsiPath(source), purpose: "scsi", access }),
      ...lockingKeys(launch),
    };
  }
  const hosts = source.hosts.map((host) => ({ transport: "default", ...host }) as const);
  const place = { type: "network", source: { ...source, hosts } } as const;
  return remoteSource({ place, path: `${path}/source` });
}

function scsiKeys(guest: Guest, device: HostDeviceOf<"scsi">): object {
  const { controller } = drivePlace(device);
  const found = controllersOf(guest.devices, "scsi").find(({ index }) => index === controller);
  const name = `${found === undefined ? `scsi${controller}` : controllerId(guest, found)}.0`;
  return { bus: name, ...scsiPlaceKeys(device, guest.devices) };
}

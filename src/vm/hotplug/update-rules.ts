import type { Device } from "../../domain/device.ts";
import type { Disk } from "../../domain/devices/disk/disk.ts";
import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import type { Domain } from "../../domain/domain.ts";
import { canonical } from "../../domain/forms/canonical.ts";
import { SvirtError } from "../../errors.ts";
import { dropOtherParameters } from "../../network/forms/port-parameters.ts";
import { fillDisk } from "../../qemu/devices/disk/defaults.ts";
import type { DeviceHolder } from "../../qemu/hotplug/family.ts";

type Ported = Pick<NetworkInterface, "virtualport">;

/**
 * Returns the drive with the source of `other`, which must be equal in all other respects. Throws
 * "unsupported" for a disk without removable media, and for any other difference.
 * qemuDomainDiskChangeSupported() of libvirt
 */
export function changeSource(drive: Disk, other: Disk): Disk {
  refuseFixed(drive);
  const wanted = fillDisk(other);
  const changed = new Map(traitsOf(drive, wanted));
  for (const [field, value] of traitsOf(wanted, wanted)) {
    if (changed.get(field) !== value) throw cannotModify(field, "disk");
    changed.delete(field);
  }
  const [left] = changed.keys();
  if (left !== undefined) throw cannotModify(left, "disk");
  return takeSource(drive, wanted);
}

/**
 * Returns the disk whose medium is to change. Throws "not-found", with libvirt's errors:
 * qemuDomainChangeDiskLive(), and qemuDomainUpdateDeviceConfig() for a definition.
 */
export function findDrive(domain: Domain, target: string, form: DeviceHolder): Device<"disk"> {
  const value = domain.devices.disks.find((disk) => disk.target.dev === target);
  if (value !== undefined) return { element: "disk", value };
  const remedy = `List the disks: svirt domblklist ${domain.name}`;
  if (form === "running") {
    throw new SvirtError(`internal error: disk '${target}' not found`, {
      kind: "not-found",
      libvirt: "INTERNAL_ERROR",
      remedy,
    });
  }
  throw new SvirtError(`invalid argument: target ${target} doesn't exist.`, {
    kind: "not-found",
    libvirt: "INVALID_ARG",
    remedy,
  });
}

/** Throws "unsupported" for a disk without removable media. */
export function refuseFixed({ device = "disk" }: Disk): void {
  if (device === "cdrom" || device === "floppy") return;
  throw new SvirtError(`Operation not supported: disk device type '${device}' cannot be changed`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Detach the disk, and attach another.",
  });
}

/** Returns the drive with the medium of `other`. */
export function takeSource(drive: Disk, other: Disk): Disk {
  const { backingStore: _, driver, source: __, type: ___, ...rest } = drive;
  const { type: format, ...look } = driver ?? {};
  const { backingStore, source, type } = other;
  const as = other.driver?.type;
  return {
    ...rest,
    driver: { ...look, ...(as === undefined ? {} : { type: as }) },
    type,
    ...(source === undefined ? {} : { source }),
    ...(backingStore === undefined ? {} : { backingStore }),
  } as Disk;
}

/**
 * Returns the interface with the link, the packet filter and the limits of `other`, which must be equal in
 * all other respects. Throws "unsupported". qemuDomainChangeNet() of libvirt
 */
export function refuseOtherInterface(
  old: Device<"interface">,
  other: Device<"interface">,
): Device<"interface"> {
  const { bandwidth: _, filterref: __, link: ___, ...before } = old.value;
  const { bandwidth, filterref, link, ...after } = other.value;
  const is = new Map<string, unknown>(Object.entries(before));
  for (const [field, written] of Object.entries(after)) {
    const value = field === "virtualport" ? completePort(before, after) : written;
    if (canonical(is.get(field)) !== canonical(value)) throw cannotModify(field, "interface");
  }
  const changed = {
    ...(bandwidth === undefined ? {} : { bandwidth }),
    ...(filterref === undefined ? {} : { filterref }),
    ...(link === undefined ? {} : { link }),
  };
  return { element: "interface", value: { ...before, ...changed } };
}

/**
 * Returns the virtual port of `after` with what only `before` has: a network's type and parameters, and a
 * generated interfaceid.
 */
function completePort(before: Ported, after: Ported): Ported["virtualport"] {
  const parameters = { ...before.virtualport?.parameters, ...after.virtualport?.parameters };
  return dropOtherParameters({ ...before.virtualport, ...after.virtualport, parameters });
}

/** Lists a drive's fields without its medium. An address or alias that `other` omits is not compared. */
function traitsOf(disk: Disk, other: Disk): [field: string, value: string][] {
  const { backingStore: _, driver, source: __, type: ___, address, alias, ...rest } = disk;
  const { type: ____, ...look } = driver ?? {};
  const fixed = {
    ...rest,
    driver: look,
    ...(other.address === undefined ? {} : { address }),
    ...(other.alias === undefined ? {} : { alias }),
  };
  return Object.entries(fixed).map(([field, value]) => [field, canonical(value)]);
}

function cannotModify(field: string, element: string): SvirtError {
  return new SvirtError(`Operation not supported: cannot modify field '${field}' of the ${element}`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Leave it as svirt dumpxml shows it, or change the definition: svirt define",
  });
}

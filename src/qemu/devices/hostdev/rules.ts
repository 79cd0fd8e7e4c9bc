import { diskBus } from "../../../domain/devices/disk/facts.ts";
import type { HostDevice } from "../../../domain/devices/hostdev.ts";
import { hostPciName } from "../../../domain/forms/host-pci.ts";
import { type Rule, refuseBroken } from "../../argument/rule.ts";
import type { Guest } from "../../model/guest.ts";
import { cannotTranslate, devicePath } from "../../refusal.ts";
import { drivePlace, isNoScsiPlace } from "../disk/place.ts";

const hasDisplay = (device: HostDevice): boolean => "display" in device && device.display === true;
const hasRamfb = (device: HostDevice): boolean => "ramfb" in device && device.ramfb === true;

/** Rules for host devices. qemuValidateDomainDeviceDefHostdev() of libvirt and its callees */
const RULES: readonly Rule<HostDevice>[] = [
  {
    place: "source/address",
    isUndecided: "until-start",
    why: "the device's address is known only at a start",
    remedy: "Write <address bus='…' device='…'/>.",
    isBroken: (device) => device.type === "usb" && device.source.address === undefined,
  },
  {
    place: "@display",
    why: "display='on' requires a <graphics> element",
    remedy: "Add <graphics>, or write display='off'.",
    isBroken: (device, { devices }) => hasDisplay(device) && devices.graphics.length === 0,
  },
  {
    place: "@ramfb",
    why: "ramfb='on' requires display='on'",
    remedy: "Write display='on', or leave it out.",
    isBroken: (device) => hasRamfb(device) && !hasDisplay(device),
  },
  {
    place: "@ramfb",
    why: "only one device can have ramfb='on'",
    remedy: "Write ramfb='off' for the others.",
    isBroken: (device, { devices }) => hasRamfb(device) && devices.hostdevs.filter(hasRamfb).length > 1,
  },
  {
    place: "boot",
    why: "firmware cannot boot from a device of this type",
    remedy: "Leave it out.",
    isBroken: ({ boot, type }) => boot !== undefined && (type === "mdev" || type === "scsi_host"),
  },
  {
    place: "teaming",
    why: "only a transient PCI device can be in a team",
    remedy: "Leave it out, or write type='transient'.",
    isBroken: ({ teaming, type }) =>
      teaming !== undefined && (type !== "pci" || teaming.type !== "transient"),
  },
  {
    place: "rom",
    why: "only a PCI device has an option ROM",
    remedy: "Leave it out.",
    isBroken: ({ rom, type }) => rom !== undefined && type !== "pci",
  },
  {
    place: "acpi",
    why: "only a PCI device has an ACPI index",
    remedy: "Leave it out.",
    isBroken: ({ acpi, type }) => acpi !== undefined && (type === "usb" || type === "scsi"),
  },
  {
    place: "readonly",
    why: "only a SCSI device can be read-only",
    remedy: "Leave it out.",
    isBroken: ({ readonly, type }) => readonly && type !== "scsi",
  },
  {
    place: "address",
    why: "the address is out of the bus's range",
    remedy: "Leave the address out.",
    isBroken: (device, { devices }) => device.address?.type === "drive" && isNoScsiPlace(device, devices),
  },
  {
    place: "address/@type",
    why: "a device of this type has addresses of another type",
    remedy: "Leave the address out.",
    isBroken: (device, { domain, devices }) => {
      // Completion adds USB addresses, so this checks the stored XML. A hot-plugged device is checked
      // separately.
      const all = domain.devices.hostdevs;
      const isWhole = all.length === devices.hostdevs.length;
      const stored = (isWhole ? all[devices.hostdevs.indexOf(device)] : undefined) ?? device;
      return !ADDRESSES[device.type].includes(stored.address?.type ?? "none");
    },
  },
];

const ADDRESSES: Readonly<Record<HostDevice["type"], readonly string[]>> = {
  pci: ["none", "pci", "unassigned"],
  mdev: ["none", "pci"],
  scsi_host: ["none", "pci"],
  usb: ["none", "usb"],
  scsi: ["none", "drive"],
};

/** Refuses host devices that QEMU cannot provide as the XML describes them. Throws "unsupported". */
export function refuseHostdevs(guest: Guest): void {
  const seen = new Set<string>();
  const { hostdevs, interfaces } = guest.devices;
  for (const [index, found] of interfaces.entries()) {
    if (found.type === "hostdev")
      refuseSecond(seen, hostPciName(found.source.address), devicePath("interface", index));
  }
  for (const [index, device] of hostdevs.entries()) {
    const path = devicePath("hostdev", index);
    refuseBroken(RULES, { device, guest, path });
    refuseSecond(seen, sourceOf(device), path);
    refuseTakenDrive(guest, device, path);
  }
}

function refuseSecond(seen: Set<string>, source: string, path: string): void {
  if (seen.has(source)) {
    throw cannotTranslate(`${path}/source`, "the guest has this device twice", "Remove one of them.");
  }
  seen.add(source);
}

function sourceOf(device: HostDevice): string {
  if (device.type === "pci") return hostPciName(device.source.address);
  const source = device.type === "usb" ? device.source.address : device.source;
  return `${device.type} ${JSON.stringify(source)}`;
}

// "using disk target name 'sda' conflicts with SCSI host device address" of libvirt
function refuseTakenDrive({ devices }: Guest, device: HostDevice, path: string): void {
  if (device.type !== "scsi" || device.address?.type !== "drive") return;
  const { controller = 0, bus = 0, target = 0, unit = 0 } = device.address;
  const key = [controller, bus, target, unit].join("-");
  const others = devices.hostdevs.slice(0, devices.hostdevs.indexOf(device));
  const disks = devices.disks.filter((disk) => diskBus(disk) === "scsi").map((disk) => drivePlace(disk));
  const drives = others.flatMap(({ address }) => (address?.type === "drive" ? [address] : []));
  const taken = [...disks, ...drives].map((place) =>
    [place.controller ?? 0, place.bus ?? 0, place.target ?? 0, place.unit ?? 0].join("-"),
  );
  if (!taken.includes(key)) return;
  throw cannotTranslate(
    `${path}/address`,
    "another device has this address",
    "Write another unit into <address>.",
  );
}

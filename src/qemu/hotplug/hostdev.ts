import type { HostDevice } from "../../domain/devices/hostdev.ts";
import type { Domain } from "../../domain/domain.ts";
import { canonical } from "../../domain/forms/canonical.ts";
import { hostPciName } from "../../domain/forms/host-pci.ts";
import { listHostDevice } from "../../domain/resources/hostdev.ts";
import { isServedDevice } from "../../domain/uses-network.ts";
import { SvirtError } from "../../errors.ts";
import { hostdevConnection } from "../address/pci/connection.ts";
import { fillHostdev } from "../default-devices.ts";
import { formatHostdevs, hostdevPlace } from "../devices/hostdev/argv.ts";
import {
  acceptAll,
  alreadyThere,
  cannotPlug,
  type DeviceHolder,
  type HotplugFamily,
  hasPlace,
  NEEDS_START,
  notFound,
} from "./family.ts";

/** Hot-plug of host devices, identified by their source. virDomainHostdevFind() of libvirt */
export const HOSTDEV: HotplugFamily<"hostdev"> = {
  name: nameHostDevice,
  find: findHostDevice,
  refusePlug(device) {
    if (device.type === "scsi_host")
      throw cannotPlug("a vhost-scsi device cannot be hot-plugged", NEEDS_START);
    if ("ramfb" in device && device.ramfb === true) {
      throw cannotPlug("a device with ramfb='on' cannot be hot-plugged", "Leave ramfb out.");
    }
    if (device.address?.type === "unassigned")
      throw cannotPlug(
        "a device with address type='unassigned' cannot be hot-plugged",
        "Leave the <address> out.",
      );
  },
  refuseUnplug: acceptAll,
  refuseDouble,
  place: hostdevConnection,
  findAdded: ({ hostdevs }, device) => hostdevs.at(-1) ?? device,
  alone: (device, alias) => ({ hostdevs: [{ ...device, alias: device.alias ?? alias }] }),
  words: (alone, _, { boot, chains, launch, names }) =>
    formatHostdevs(alone, { boot, chains, launch, firstNode: names.node }),
  commandsAfter: () => [],
  prefix: "hostdev",
  isPlugged: (guest, device, { facts }) => hasPlace(facts, hostdevPlace(guest, device)),
  resources: listHostDevice,
  usesNetwork: isServedDevice,
};

function nameHostDevice(device: HostDevice): string {
  switch (device.type) {
    case "pci":
      return `hostdev ${hostPciName(device.source.address)}`;
    case "mdev":
      return `hostdev ${device.source.address.uuid}`;
    case "usb": {
      const { address, product, vendor } = device.source;
      const place = address === undefined ? "" : ` at ${address.bus}/${address.device}`;
      const digits = (id: number): string => id.toString(16).padStart(4, "0");
      const ids = vendor === undefined ? "" : ` ${digits(vendor.id)}:${digits(product?.id ?? 0)}`;
      return `hostdev usb${ids}${place}`;
    }
    case "scsi":
      return `hostdev scsi ${device.source.protocol === "adapter" ? device.source.adapter.name : device.source.name}`;
    case "scsi_host":
      return `hostdev ${device.source.wwpn}`;
  }
}

function findHostDevice({ devices }: Domain, meant: HostDevice): HostDevice {
  const found = devices.hostdevs.filter((one) => isSameSource(one, fillHostdev(meant)));
  const [value] = found;
  if (value === undefined) throw notFound(`${nameHostDevice(meant)} not found among the domain's devices`);
  if (found.length === 1) return value;
  throw new SvirtError(`operation failed: ${nameHostDevice(meant)} matches several of the domain's devices`, {
    kind: "usage",
    libvirt: "OPERATION_FAILED",
    remedy: "Write its <address bus='…' device='…'/>, as svirt dumpxml shows it.",
  });
}

/** A USB device is identified by its address, or its vendor and product. */
function isSameSource(one: HostDevice, meant: HostDevice): boolean {
  if (one.type === "usb" && meant.type === "usb") {
    const { address, product, vendor } = meant.source;
    return (
      (address === undefined ||
        (address.bus === one.source.address?.bus && address.device === one.source.address.device)) &&
      (vendor === undefined ||
        (vendor.id === one.source.vendor?.id && product?.id === one.source.product?.id))
    );
  }
  if (one.type === "pci" && meant.type === "pci")
    return hostPciName(one.source.address) === hostPciName(meant.source.address);
  return one.type === meant.type && canonical(one.source) === canonical(meant.source);
}

function refuseDouble({ devices }: Domain, device: HostDevice, form: DeviceHolder): void {
  const { source, type } = fillHostdev(device);
  const isSame = (one: HostDevice): boolean =>
    one.type === type && canonical(one.source) === canonical(source);
  if (!devices.hostdevs.some(isSame)) return;
  const why = `the domain already has ${nameHostDevice(device)}`;
  throw alreadyThere(form, why, "List the domain's devices: svirt dumpxml DOMAIN");
}

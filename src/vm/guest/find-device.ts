import { type Device, nameDevice } from "../../domain/device.ts";
import type { HostDevice } from "../../domain/devices/hostdev.ts";
import type { Rng } from "../../domain/devices/rng.ts";
import type { Domain } from "../../domain/domain.ts";
import { canonical } from "../../domain/forms/canonical.ts";
import { hostPciName } from "../../domain/forms/host-pci.ts";
import { DEFAULT_RANDOM_SOURCE } from "../../domain/forms/random-source.ts";
import { SvirtError } from "../../errors.ts";
import { fillHostdev } from "../../qemu/default-devices.ts";

/**
 * Returns the domain's device that `meant` identifies. A disk is identified by its target, an interface by its MAC address, a
 * channel by its name in the guest. A source of randomness is identified by all its fields. Throws "not-found", "usage".
 * virDomainNetFindIdx(), virDomainRNGFind(), virDomainChrFind() of libvirt
 */
export function findDevice(domain: Domain, meant: Device): Device {
  switch (meant.element) {
    case "disk":
      return findDisk(domain, meant.value.target.dev);
    case "interface":
      return findInterface(domain, meant.value);
    case "rng":
      return findRng(domain, meant.value);
    case "channel":
      return findChannel(domain, meant);
    case "hostdev":
      return findHostDevice(domain, meant);
  }
}

/** Returns the disk with that target. Throws "not-found". */
export function findDisk({ devices }: Domain, target: string): Extract<Device, { element: "disk" }> {
  const value = devices.disks.find((disk) => disk.target.dev === target);
  if (value === undefined) throw missing(`disk ${target} not found`);
  return { element: "disk", value };
}

type Interface = Extract<Device, { element: "interface" }>["value"];

function findInterface({ devices }: Domain, { mac }: Interface): Device {
  if (mac === undefined) {
    throw new SvirtError("Cannot tell which interface is meant: it has no <mac>", {
      kind: "usage",
      remedy: "Write its <mac address='…'/>, as svirt dumpxml shows it.",
    });
  }
  const found = devices.interfaces.filter((one) => one.mac?.address === mac.address);
  const [value] = found;
  if (value === undefined) {
    throw missing(`no device matching MAC address ${mac.address} was found`);
  }
  if (found.length === 1) return { element: "interface", value };
  throw new SvirtError(`operation failed: multiple devices matching MAC address ${mac.address} found`, {
    kind: "usage",
    libvirt: "OPERATION_FAILED",
    remedy: "Give each interface its own address: svirt define",
  });
}

function findRng({ devices }: Domain, meant: Rng): Device {
  const value = devices.rngs.find(
    (one) =>
      traitsOf(one) === traitsOf(meant) &&
      (meant.address === undefined || canonical(one.address) === canonical(meant.address)),
  );
  if (value === undefined) throw missing("matching RNG device not found");
  return { element: "rng", value };
}

type ChannelDevice = Extract<Device, { element: "channel" }>;

function findChannel({ devices }: Domain, meant: ChannelDevice): Device {
  const { address, target, type } = meant.value;
  const value = devices.channels.find(
    (one) =>
      one.type === type &&
      canonical(one.target) === canonical(target) &&
      (address === undefined ||
        (one.address?.port === address.port && one.address?.controller === address.controller)),
  );
  if (value === undefined) throw missing(`${nameDevice(meant)} not found`);
  return { element: "channel", value };
}

/**
 * Identifies a host device by its source: a USB device by its address, or its vendor and product. virDomainHostdevFind() of
 * libvirt
 */
function findHostDevice({ devices }: Domain, meant: Extract<Device, { element: "hostdev" }>): Device {
  const found = devices.hostdevs.filter((one) => isSameSource(one, fillHostdev(meant.value)));
  const [value] = found;
  if (value === undefined) throw missing(`${nameDevice(meant)} not found among the domain's devices`);
  if (found.length === 1) return { element: "hostdev", value };
  throw new SvirtError(`operation failed: ${nameDevice(meant)} means several of the domain's devices`, {
    kind: "usage",
    libvirt: "OPERATION_FAILED",
    remedy: "Write its <address bus='…' device='…'/>, as svirt dumpxml shows it.",
  });
}

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

function traitsOf({ backend, model, rate }: Rng): string {
  const path = backend.model === "random" ? (backend.path ?? DEFAULT_RANDOM_SOURCE) : undefined;
  return canonical([model, rate?.bytes, rate?.periodMs, { ...backend, path }]);
}

function missing(message: string): SvirtError {
  return new SvirtError(`device not found: ${message}`, {
    kind: "not-found",
    libvirt: "DEVICE_MISSING",
    remedy: "List the domain's devices: svirt dumpxml DOMAIN",
  });
}

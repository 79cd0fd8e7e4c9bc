import type { Device } from "../../domain/device.ts";
import type { Domain } from "../../domain/domain.ts";
import { DEFAULT_RANDOM_SOURCE, type Rng } from "../../domain/rng.ts";
import { type ErrorKind, SvirtError } from "../../errors.ts";

/**
 * The device of the domain that is meant: a disk by its target, an interface by its address, a source of randomness by
 * all that it says. Throws "not-found", "usage". virDomainNetFindIdx(), virDomainRNGFind() of libvirt
 */
export function findDevice(domain: Domain, meant: Device): Device {
  switch (meant.element) {
    case "disk":
      return findDisk(domain, meant.value.target.dev);
    case "interface":
      return findInterface(domain, meant.value);
    case "rng":
      return findRng(domain, meant.value);
  }
}

/** The disk with that target. Throws "not-found". */
export function findDisk({ devices }: Domain, target: string): Extract<Device, { element: "disk" }> {
  const value = devices.disks.find((disk) => disk.target.dev === target);
  if (value === undefined) throw missing(`operation failed: disk ${target} not found`);
  return { element: "disk", value };
}

type Interface = Extract<Device, { element: "interface" }>["value"];

function findInterface({ devices }: Domain, { mac }: Interface): Device {
  if (mac === undefined) {
    throw fault("Cannot tell which interface is meant: it has no <mac>", {
      kind: "usage",
      remedy: "Write its <mac address='…'/>, as svirt dumpxml shows it.",
    });
  }
  const found = devices.interfaces.filter((one) => one.mac?.address === mac.address);
  const [value] = found;
  if (value === undefined) {
    throw missing(`operation failed: no device matching MAC address ${mac.address} was found`);
  }
  if (found.length === 1) return { element: "interface", value };
  throw fault(`operation failed: multiple devices matching MAC address ${mac.address} found`, {
    kind: "usage",
    remedy: "Give each interface its own address: svirt define",
  });
}

function findRng({ devices }: Domain, meant: Rng): Device {
  const value = devices.rngs.find(
    (one) =>
      traitsOf(one) === traitsOf(meant) &&
      (meant.address === undefined || JSON.stringify(one.address) === JSON.stringify(meant.address)),
  );
  if (value === undefined) throw missing("operation failed: matching RNG device not found");
  return { element: "rng", value };
}

function traitsOf({ backend, model, rate }: Rng): string {
  const path = backend.model === "random" ? (backend.path ?? DEFAULT_RANDOM_SOURCE) : undefined;
  return JSON.stringify([model, rate?.bytes, rate?.periodMs, { ...backend, path }]);
}

function missing(message: string): SvirtError {
  return fault(message, { kind: "not-found", remedy: "svirt dumpxml shows what there is." });
}

function fault(message: string, facts: { readonly kind: ErrorKind; readonly remedy: string }): SvirtError {
  return new SvirtError(message, facts);
}

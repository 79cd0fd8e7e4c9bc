import type { HotDevice, HotElement } from "../../domain/device.ts";
import type { Devices } from "../../domain/devices.ts";
import type { Domain } from "../../domain/domain.ts";
import type { Resource } from "../../domain/resources/resource.ts";
import { SvirtError } from "../../errors.ts";
import type { Connection } from "../address/pci/buses.ts";
import type { Arguments } from "../argument/argument.ts";
import type { BootIndexes } from "../argument/boot-index.ts";
import type { FoundChains } from "../devices/disk/chain.ts";
import type { Launch } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import type { QmpCommand } from "../monitor/qmp.ts";

/** Holder of devices: a domain's definition, or its running guest. */
export type DeviceHolder = "defined" | "running";

/** Names unused in the running QEMU. */
export interface FreeNames {
  /** Number of the first image: `libvirt-N-storage`. */
  readonly node: number;
  readonly set: number;
  /** Alias of an interface, a random number source, a channel or a host device: `net1`. */
  readonly alias: string;
  /** Name of a connection to another program's socket. */
  readonly peer: string;
}

/** Facts for the arguments of a device. */
interface HotFacts {
  readonly boot: BootIndexes;
  readonly chains: FoundChains;
  readonly names: FreeNames;
  readonly launch: Launch;
}

/** Properties of a device in QEMU, as svirt has passed them. */
export type PluggedFacts = Readonly<Record<string, unknown>>;

/** All decisions of hot-plug about a family, as values. */
export interface HotplugFamily<E extends HotElement> {
  /** Returns the device's name for messages. */
  name(device: HotDevice<E>): string;
  /** Returns the domain's device identified by `meant`. Throws "not-found", "usage". */
  find(domain: Domain, meant: HotDevice<E>): HotDevice<E>;
  /** Throws for a device without hot-plug, by the families of libvirt's qemuDomainAttachDeviceLive(). */
  refusePlug(device: HotDevice<E>): void;
  /** Throws for a device that cannot be detached from a running guest. */
  refuseUnplug(device: HotDevice<E>): void;
  /** Throws for a device whose name or source the domain already has. */
  refuseDouble(domain: Domain, device: HotDevice<E>, form: DeviceHolder): void;
  /** Returns the kind of PCI slot for the device; undefined if the rules of a start assign its address. */
  place(device: HotDevice<E>): Connection | undefined;
  /** Returns the device just added to a completed guest, as the last of its family. */
  findAdded(devices: Devices, device: HotDevice<E>): HotDevice<E>;
  /** Returns the families of a guest that has only this device, with its alias in QEMU. */
  alone(device: HotDevice<E>, alias: string): Partial<Devices>;
  /** Returns QEMU's arguments for the only device of a guest. */
  words(alone: Guest, device: HotDevice<E>, facts: HotFacts): Arguments;
  /** Returns commands to follow the arguments' commands; `alias` names the device in QEMU. */
  commandsAfter(alone: Guest, device: HotDevice<E>, alias: string): readonly QmpCommand[];
  /** Prefix of QEMU's names for devices of the family. */
  readonly prefix: "net" | "rng" | "channel" | "hostdev" | "scsi";
  /** Whether these facts of QEMU's device describe this device. */
  isPlugged(
    guest: Guest,
    device: HotDevice<E>,
    plugged: { readonly id: string; readonly facts: PluggedFacts },
  ): boolean;
  /** Lists the files opened by QEMU for the device, without the socket of peer-sockets.ts. */
  resources(device: HotDevice<E>): readonly Resource[];
  /** Whether QEMU itself makes connections for the device. */
  usesNetwork(device: HotDevice<E>): boolean;
}

/** Remedy for a device that only a start can give to a guest. */
export const NEEDS_START = "Change the definition for the next start: --config";

/** Returns the error of a device that cannot be attached or detached while its guest runs. */
export function cannotPlug(why: string, remedy: string): SvirtError {
  return new SvirtError(`Operation not supported: ${why}`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy,
  });
}

/** Returns the error of a device unknown to the domain. */
export function notFound(message: string): SvirtError {
  return new SvirtError(`device not found: ${message}`, {
    kind: "not-found",
    libvirt: "DEVICE_MISSING",
    remedy: "List the domain's devices: svirt dumpxml DOMAIN",
  });
}

/**
 * Returns the error of a device that the domain has already. qemuDomainAttachDeviceConfig() of libvirt, and
 * for a running guest qemuDomainAttachDeviceLive()
 */
export function alreadyThere(form: DeviceHolder, why: string, remedy: string): SvirtError {
  if (form === "defined") {
    return new SvirtError(`Requested operation is not valid: ${why}`, { kind: "wrong-state", remedy });
  }
  return new SvirtError(`operation failed: ${why}`, {
    kind: "wrong-state",
    libvirt: "OPERATION_FAILED",
    remedy,
  });
}

/** Reports whether a device in QEMU has this place. */
export function hasPlace(facts: PluggedFacts, place: object): boolean {
  const keys: [string, unknown][] = Object.entries(place);
  return keys.length > 0 && keys.every(([key, at]) => at === undefined || facts[key] === at);
}

/** A family without that refusal. */
export function acceptAll(): undefined {
  return undefined;
}

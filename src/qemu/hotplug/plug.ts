import { addDevice, type Device } from "../../domain/device.ts";
import type { Controller } from "../../domain/devices/controller.ts";
import type { Disk } from "../../domain/devices/disk/disk.ts";
import type { Devices } from "../../domain/devices.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import type { Arguments } from "../argument/argument.ts";
import type { BootIndexes } from "../argument/boot-index.ts";
import { completeGuest } from "../complete-guest.ts";
import { listDeviceDescriptors } from "../descriptors.ts";
import { diskId } from "../devices/disk/argv.ts";
import type { FoundChains } from "../devices/disk/chain.ts";
import { formatNodes, listDiskSecrets } from "../devices/disk/nodes.ts";
import type { SecretUse } from "../devices/disk/secrets.ts";
import type { Descriptor, Launch, LaunchPeer, LaunchTap } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { commandsOf } from "../monitor/plug-commands.ts";
import type { QmpCommand } from "../monitor/qmp.ts";
import { refuseUndefinable } from "../stored-domain.ts";
import { findNeeded } from "./controller.ts";
import { numberedDisk } from "./disk.ts";
import { hotplugOf, nameDevice } from "./families.ts";
import type { FreeNames } from "./family.ts";
import { placeHot } from "./place.ts";
import { refuseNewControllers } from "./rules.ts";

/** A running guest with another device. */
export interface PluggedGuest {
  /** Every address is written out, also on USB, because QEMU has assigned them. */
  readonly domain: Domain;
  readonly guest: Guest;
  /** The device as completed in `domain`. */
  readonly device: Device;
  /** SCSI controllers for the device, plugged before it. */
  readonly needed: readonly PluggedGuest[];
}

/** Monitor commands for a device, and its descriptors, numbered from `set`. */
export interface DeviceCommands {
  readonly commands: readonly QmpCommand[];
  readonly descriptors: readonly Descriptor[];
  /** Secrets whose values QEMU reads when it carries out the commands. */
  readonly secrets?: readonly SecretUse[];
}

/**
 * Completes and places a device for a running guest, and the SCSI controllers for the device. Throws
 * "unsupported" for a part without hot-plug.
 */
export function plugDevice(running: Domain, device: Device): PluggedGuest {
  const family = hotplugOf(device);
  family.refusePlug(device.value);
  const before = completeGuest(running);
  const fixed = { ...before.domain, devices: before.devices };
  family.refuseDouble(fixed, device.value, "running");
  const written = addDevice(fixed, placeHot(before, device, family.place(device.value)));
  refuseUndefinable(written);
  const guest = completeGuest(written);
  const value = family.findAdded(guest.devices, device.value);
  const needed = findNeeded(before, guest, value);
  if (needed !== undefined) return plugBehind(fixed, needed, device);
  refuseNewControllers(before, guest, { name: nameDevice(device), value });
  const domain = { ...guest.domain, devices: guest.devices };
  return {
    domain,
    guest,
    device: { ...device, value } as Device,
    needed: [],
  };
}

function plugBehind(running: Domain, controller: Controller, device: Device): PluggedGuest {
  const first = plugDevice(running, { element: "controller", value: controller });
  const then = plugDevice(first.domain, device);
  return { ...then, needed: [first, ...then.needed] };
}

/** Returns the commands for a hot-plugged device, by the rules of a start. Throws "unsupported". */
export function formatHotDevice(
  guest: Guest,
  device: Device,
  facts: {
    readonly chains: FoundChains;
    readonly names: FreeNames;
    readonly taps?: readonly LaunchTap[];
    readonly peers?: readonly LaunchPeer[];
    /** As in a Launch, like `named`. */
    readonly folder: string;
    readonly secretFolder: string;
    readonly named: ReadonlyMap<string, string>;
  },
): DeviceCommands {
  const { chains, folder, named, names, peers = [], secretFolder, taps = [] } = facts;
  const family = hotplugOf(device);
  const own = family.alone(device.value, names.alias);
  const alone = { ...guest, devices: { ...guest.devices, ...NO_DEVICES, ...own } };
  const descriptors = listDeviceDescriptors(alone, chains, names.set);
  const launch: Launch = {
    monitorFd: 0,
    listeners: [],
    descriptors,
    peers,
    taps,
    folder,
    secretFolder,
    named,
  };
  const words = family.words(alone, device.value, { boot: bootOf(device, own), chains, names, launch });
  return {
    commands: [...exactCommands(words), ...family.commandsAfter(alone, device.value, names.alias)],
    descriptors,
    secrets: device.element === "disk" ? listDiskSecrets(numberedDisk(alone, device.value, facts)) : [],
  };
}

/** Returns the commands for the block nodes of a new medium, the lowest first, and the top node's name. */
export function formatMedium(
  guest: Guest,
  disk: Disk,
  facts: {
    readonly chains: FoundChains;
    readonly names: FreeNames;
    readonly peers?: readonly LaunchPeer[];
    readonly secretFolder: string;
  },
): DeviceCommands & { readonly node: string } {
  const { chains, names, peers = [], secretFolder } = facts;
  const alone = { ...guest, devices: { ...guest.devices, disks: [disk], rngs: [], hostdevs: [] } };
  const descriptors = listDeviceDescriptors(alone, chains, names.set);
  const numbered = numberedDisk(guest, disk, facts);
  const { top, words } = formatNodes(numbered, {
    monitorFd: 0,
    listeners: [],
    peers,
    descriptors,
    folder: "",
    secretFolder,
  });
  return { commands: exactCommands(words), descriptors, secrets: listDiskSecrets(numbered), node: top };
}

/** Returns the drive's device id in QEMU. */
export function driveId(guest: Guest, disk: Disk): string {
  return diskId(guest, disk);
}

/** Returns the device's position in the boot order, keyed by the device's object in `own`. */
function bootOf({ value }: Device, own: Partial<Devices>): BootIndexes {
  const order = "boot" in value ? value.boot?.order : undefined;
  if (order === undefined) return new Map();
  const { disks = [], hostdevs = [], interfaces = [] } = own;
  return new Map([...disks, ...hostdevs, ...interfaces].map((device) => [device, order]));
}

/** Families with names or descriptors here. */
const NO_DEVICES = {
  disks: [],
  interfaces: [],
  rngs: [],
  hostdevs: [],
  serials: [],
  parallels: [],
  consoles: [],
  channels: [],
} satisfies Partial<Guest["devices"]>;

/** Converts arguments to commands. Refuses a number too large for JavaScript. */
function exactCommands(words: Arguments): QmpCommand[] {
  const isExact = words.every((word) => !word.startsWith("{") || JSON.stringify(JSON.parse(word)) === word);
  const commands = commandsOf(words);
  if (isExact && commands.length * 2 === words.length) return commands;
  throw new SvirtError("Operation not supported: QEMU's monitor cannot create exactly this device", {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Change the definition for the next start: --config",
  });
}

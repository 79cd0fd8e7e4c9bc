import { type Device, withDevice } from "../../domain/device.ts";
import type { Disk } from "../../domain/devices/disk/disk.ts";
import type { HostDevice } from "../../domain/devices/hostdev.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import type { Words } from "../argument/argument.ts";
import type { BootIndexes } from "../argument/boot-index.ts";
import { completeGuest } from "../complete-guest.ts";
import { listDeviceDescriptors } from "../descriptors.ts";
import { formatChardevs } from "../devices/chardev/argv.ts";
import { diskId, formatNewDisk } from "../devices/disk/argv.ts";
import { chainOf, type FoundChains } from "../devices/disk/chain.ts";
import { formatNodes } from "../devices/disk/nodes.ts";
import { formatHostdevs } from "../devices/hostdev/argv.ts";
import { formatInterfaces } from "../devices/network/argv.ts";
import { formatRngs } from "../devices/rng.ts";
import { limitSpeed } from "../iotune-commands.ts";
import type { Descriptor, Launch, LaunchPeer, LaunchTap } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { commandsOf } from "../monitor/plug-commands.ts";
import type { QmpCommand } from "../monitor/qmp.ts";
import { devicePath } from "../refusal.ts";
import { refuseUndefinable } from "../stored-domain.ts";
import { placeHot } from "./place.ts";
import { refuseDouble, refuseHotPlug, refuseNewControllers } from "./rules.ts";

/** A running guest with one more device. */
export interface PluggedGuest {
  /** Every address is written out, including those on USB, because QEMU has assigned them. */
  readonly domain: Domain;
  readonly guest: Guest;
  /** The device as completed in `domain`. */
  readonly device: Device;
}

/** Names that are unused in the running QEMU. */
export interface FreeNames {
  /** Number of the first image: `libvirt-N-storage`. */
  readonly node: number;
  readonly set: number;
  /** Alias of an interface, a random number source, a channel or a host device: `net1`. */
  readonly alias: string;
  /** Name of a connection to another program's socket. */
  readonly peer: string;
}

/** Monitor commands for a device, and its descriptors, numbered from `set`. */
export interface DeviceWords {
  readonly commands: readonly QmpCommand[];
  readonly descriptors: readonly Descriptor[];
}

/** Completes and places a device for a running guest. Throws "unsupported" if it cannot be hot-plugged. */
export function plugDevice(running: Domain, device: Device): PluggedGuest {
  refuseHotPlug(device);
  const before = completeGuest(running);
  const fixed = { ...before.domain, devices: before.devices };
  refuseDouble(fixed, device);
  const written = withDevice(fixed, placeHot(before, device));
  refuseUndefinable(written);
  const guest = completeGuest(written);
  refuseNewControllers(before, guest, device);
  const domain = { ...guest.domain, devices: guest.devices };
  return { domain, guest, device: findAgain(guest, device) };
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
    /** As in a Launch; so is `named`. */
    readonly folder: string;
    readonly named: ReadonlyMap<string, string>;
  },
): DeviceWords {
  const { chains, folder, named, names, peers = [], taps = [] } = facts;
  const alone = { ...guest, devices: { ...guest.devices, ...only(device, names.alias) } };
  const descriptors = listDeviceDescriptors(alone, chains, names.set);
  const launch: Launch = { monitorFd: 0, listeners: [], descriptors, peers, taps, folder, named };
  const words = formatWords(alone, device, { chains, names, launch });
  const limits = alone.devices.disks.flatMap((disk) => limitSpeed(alone, disk));
  return {
    commands: [...exactCommands(words), ...limits, ...linkCommands(device, names.alias)],
    descriptors,
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
  },
): DeviceWords & { readonly node: string } {
  const { chains, names, peers = [] } = facts;
  const alone = { ...guest, devices: { ...guest.devices, disks: [disk], rngs: [], hostdevs: [] } };
  const descriptors = listDeviceDescriptors(alone, chains, names.set);
  const { top, words } = formatNodes(numbered(guest, disk, facts), {
    monitorFd: 0,
    listeners: [],
    peers,
    descriptors,
    folder: "",
  });
  return { commands: exactCommands(words), descriptors, node: top };
}

/** Returns the drive's device id in QEMU. */
export function driveId(guest: Guest, disk: Disk): string {
  return diskId(guest, disk);
}

function formatWords(
  alone: Guest,
  device: Device,
  facts: { readonly chains: FoundChains; readonly names: FreeNames; readonly launch: Launch },
): Words {
  const boot: BootIndexes = new Map();
  const order = "boot" in device.value ? device.value.boot?.order : undefined;
  const withBoot = (found: Disk | HostDevice | Guest["devices"]["interfaces"][number]): BootIndexes =>
    order === undefined ? boot : new Map([[found, order]]);
  switch (device.element) {
    case "disk":
      return formatNewDisk(alone, numbered(alone, device.value, facts), {
        chains: facts.chains,
        boot: withBoot(device.value),
        launch: facts.launch,
      });
    case "interface": {
      const [found = device.value] = alone.devices.interfaces;
      return formatInterfaces(alone, withBoot(found), facts.launch);
    }
    case "rng":
      return formatRngs(alone, facts.launch);
    case "channel":
      return formatChardevs(alone, facts.launch);
    case "hostdev": {
      const [found = device.value] = alone.devices.hostdevs;
      const { chains, launch, names } = facts;
      return formatHostdevs(alone, { boot: withBoot(found), chains, launch, firstNode: names.node });
    }
  }
}

function numbered(
  guest: Guest,
  disk: Disk,
  { chains, names }: { readonly chains: FoundChains; readonly names: FreeNames },
): Parameters<typeof formatNewDisk>[1] {
  const path = devicePath("disk", Math.max(0, guest.devices.disks.indexOf(disk)));
  const chain = chainOf(disk, chains);
  const nextNumber = names.node + chain.elements.length;
  return { disk, chain, path, folder: "", firstNumber: names.node, nextNumber, firstFdset: names.set };
}

/** Families that get names or descriptors here. */
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

/** The families with only this device in them. */
function only(device: Device, alias: string): Pick<Guest["devices"], keyof typeof NO_DEVICES> {
  const none = NO_DEVICES;
  switch (device.element) {
    case "disk":
      return { ...none, disks: [device.value] };
    case "interface":
      return { ...none, interfaces: [{ ...device.value, alias: device.value.alias ?? alias }] };
    case "rng":
      return { ...none, rngs: [{ ...device.value, alias: device.value.alias ?? alias }] };
    case "channel":
      return { ...none, channels: [{ ...device.value, alias: device.value.alias ?? alias }] };
    case "hostdev":
      return { ...none, hostdevs: [{ ...device.value, alias: device.value.alias ?? alias }] };
  }
}

/** Converts arguments to commands. Refuses a number that JavaScript would round. */
function exactCommands(words: Words): QmpCommand[] {
  const isExact = words.every((word) => !word.startsWith("{") || JSON.stringify(JSON.parse(word)) === word);
  const commands = commandsOf(words);
  if (isExact && commands.length * 2 === words.length) return commands;
  throw new SvirtError("Operation not supported: a running QEMU cannot be told this device exactly", {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Change the definition (--config): it counts at the next start.",
  });
}

function linkCommands(device: Device, alias: string): QmpCommand[] {
  if (device.element !== "interface" || device.value.link?.state !== "down") return [];
  return [{ execute: "set_link", arguments: { name: device.value.alias ?? alias, up: false } }];
}

/** Disks are sorted by completion; a device of another family is the last of it. */
function findAgain({ devices }: Guest, device: Device): Device {
  switch (device.element) {
    case "disk": {
      const name = device.value.target.dev;
      const value = devices.disks.find(({ target }) => target.dev === name) ?? device.value;
      return { ...device, value };
    }
    case "interface":
      return { ...device, value: devices.interfaces.at(-1) ?? device.value };
    case "rng":
      return { ...device, value: devices.rngs.at(-1) ?? device.value };
    case "channel":
      return { ...device, value: devices.channels.at(-1) ?? device.value };
    case "hostdev":
      return { ...device, value: devices.hostdevs.at(-1) ?? device.value };
  }
}

import type { HotDevice, HotElement } from "../domain/device.ts";
import type { Devices } from "../domain/devices.ts";
import { changeFamilies, type FamilyChanges } from "../domain/families.ts";
import { isSerialConsole } from "../domain/ports.ts";
import { controllerId } from "./argument/bus-properties.ts";
import { deviceNumber } from "./device-number.ts";
import { namePorts } from "./devices/chardev/argv.ts";
import { diskId } from "./devices/disk/argv.ts";
import { memoryId } from "./devices/memory.ts";
import { interfaceId } from "./devices/network/argv.ts";
import type { Guest } from "./model/guest.ts";

/** QEMU ids of devices attached to the running guest; undefined for a device of the start. */
export type LaterNames = {
  // A disk is named by its target or its place, and a controller by its number, whenever it is attached.
  readonly [E in Exclude<HotElement, "disk" | "controller">]: (found: HotDevice<E>) => string | undefined;
};

const none = (): undefined => undefined;
const NONE: LaterNames = { interface: none, rng: none, channel: none, hostdev: none };

interface AliasFacts {
  readonly guest: Guest;
  readonly later: LaterNames;
  /** Ids of character devices. */
  readonly ports: ReadonlyMap<object, string>;
  /** Id of the first serial port. */
  readonly firstSerial: string | undefined;
}

/** Aliases of each family. "none": libvirt gives its devices no alias. */
const ALIASES: FamilyChanges<AliasFacts> = {
  disks: (disks, { guest }) => disks.map((disk) => ({ ...disk, alias: diskId(guest, disk) })),
  controllers: (controllers, { guest }) =>
    controllers.map((found) => ({ ...found, alias: controllerId(guest, found) })),
  leases: "none",
  filesystems: (found) => counted(found, "fs"),
  interfaces: (interfaces, { guest, later }) =>
    interfaces.map((found, at) => {
      const own = found.type === "hostdev" ? passedId(guest, found) : interfaceId(interfaces, at);
      return { ...found, alias: found.alias ?? later.interface(found) ?? own };
    }),
  smartcards: (found) => named(found, "smartcard"),
  serials: (serials, facts) => serials.map((found) => addPort(found, facts)),
  parallels: (parallels, facts) => parallels.map((found) => addPort(found, facts)),
  // A console for the first serial port gets the alias of the port.
  consoles: (consoles, facts) =>
    consoles.map((found) =>
      isSerialConsole(found) && !facts.ports.has(found) && facts.firstSerial !== undefined
        ? { ...found, alias: facts.firstSerial }
        : addPort(found, facts),
    ),
  channels: (channels, facts) =>
    channels.map((found) => {
      const alias = found.alias ?? facts.later.channel(found);
      return alias === undefined ? addPort(found, facts) : { ...found, alias };
    }),
  inputs: (found) => named(found, "input"),
  tpms: (found) => named(found, "tpm"),
  graphics: "none",
  sounds: (found) => named(found, "sound"),
  audios: "none",
  videos: (found) => named(found, "video"),
  hostdevs: (hostdevs, { guest, later }) =>
    hostdevs.map((found) => ({
      ...found,
      alias: found.alias ?? later.hostdev(found) ?? passedId(guest, found),
    })),
  redirdevs: (found) => named(found, "redir"),
  redirfilter: "none",
  hubs: (found) => named(found, "hub"),
  watchdogs: (found) => named(found, "watchdog"),
  memballoon: (found) => (found.model === "none" ? found : { ...found, alias: found.alias ?? "balloon0" }),
  rngs: (rngs, { later }) =>
    rngs.map((found, at) => ({
      ...found,
      alias: found.alias ?? later.rng(found) ?? `rng${deviceNumber(rngs, at)}`,
    })),
  panics: "none",
  shmems: (found) => named(found, "shmem"),
  iommu: (found) => ({ ...found, alias: found.alias ?? "iommu0" }),
  vsock: (found) => ({ ...found, alias: found.alias ?? "vsock0" }),
  cryptos: (found) => counted(found, "crypto"),
  pstore: (found) => ({ ...found, alias: found.alias ?? "pstore0" }),
  memories: (memories) => memories.map((found, at) => ({ ...found, alias: memoryId(memories, at) })),
};

/**
 * Returns the guest's devices, each with its QEMU id as alias, devices of the board included.
 * qemuAssignDeviceAliases() of libvirt
 */
export function addAliases(guest: Guest, later: LaterNames = NONE): Devices {
  const found = namePorts(guest);
  const ports = new Map<object, string>(found.map(({ id, port }) => [port.chardev, id]));
  const firstSerial = found.find(({ port }) => port.device === "serial")?.id;
  return changeFamilies(guest.devices, ALIASES, { guest, later, ports, firstSerial });
}

interface Aliased {
  readonly alias?: string;
}

/** Numbers the devices by their place. */
function named<D extends Aliased>(family: readonly D[], prefix: string): D[] {
  return family.map((device, at) => ({ ...device, alias: device.alias ?? `${prefix}${at}` }));
}

/** Numbers the devices without an alias in the XML. */
function counted<D extends Aliased>(family: readonly D[], prefix: string): D[] {
  return family.map((device, at) => ({
    ...device,
    alias: device.alias ?? `${prefix}${deviceNumber(family, at)}`,
  }));
}

/** Returns the id of a host device; interfaces of type hostdev are numbered with them. */
function passedId(
  { devices }: Guest,
  found: Devices["interfaces"][number] | Devices["hostdevs"][number],
): string {
  const passed = [...devices.interfaces.filter(({ type }) => type === "hostdev"), ...devices.hostdevs];
  return `hostdev${deviceNumber(passed, passed.indexOf(found))}`;
}

function addPort<D extends object>(device: D, { ports }: AliasFacts): D {
  const alias = ports.get(device);
  return alias === undefined ? device : { ...device, alias };
}

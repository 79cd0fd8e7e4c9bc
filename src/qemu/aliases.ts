import type { Devices } from "../domain/devices.ts";
import { isSerialConsole } from "../domain/ports.ts";
import { controllerId } from "./argument/bus-properties.ts";
import { deviceNumber } from "./device-number.ts";
import { namePorts } from "./devices/chardev/argv.ts";
import { diskId } from "./devices/disk/argv.ts";
import { memoryId } from "./devices/memory.ts";
import { interfaceId } from "./devices/network/argv.ts";
import type { Guest } from "./model/guest.ts";

/** QEMU ids of devices that were attached to the running guest; undefined for a device of the start. */
export interface LaterNames {
  interfaceId(found: Devices["interfaces"][number]): string | undefined;
  rngId(found: Devices["rngs"][number]): string | undefined;
  channelId(found: Devices["channels"][number]): string | undefined;
  hostdevId(found: Devices["hostdevs"][number]): string | undefined;
}

const none = (): undefined => undefined;
const NONE: LaterNames = { interfaceId: none, rngId: none, channelId: none, hostdevId: none };

/**
 * Returns the guest's devices, each with its QEMU id as alias, devices of the board included. qemuAssignDeviceAliases() of
 * libvirt
 */
export function withAliases(guest: Guest, later: LaterNames = NONE): Devices {
  const { devices } = guest;
  const named = <D extends { readonly alias?: string }>(
    family: readonly D[],
    prefix: string,
    from = 0,
  ): D[] => family.map((device, at) => ({ ...device, alias: device.alias ?? `${prefix}${from + at}` }));
  const counted = <D extends { readonly alias?: string }>(family: readonly D[], prefix: string): D[] =>
    family.map((device, at) => ({
      ...device,
      alias: device.alias ?? `${prefix}${deviceNumber(family, at)}`,
    }));
  const passed = [...devices.interfaces.filter(({ type }) => type === "hostdev"), ...devices.hostdevs];
  const passedId = (found: (typeof passed)[number]): string =>
    `hostdev${deviceNumber(passed, passed.indexOf(found))}`;
  return {
    ...devices,
    ...withPorts(guest, later),
    ...singles(devices),
    disks: devices.disks.map((disk) => ({ ...disk, alias: diskId(guest, disk) })),
    controllers: devices.controllers.map((found) => ({ ...found, alias: controllerId(guest, found) })),
    filesystems: counted(devices.filesystems, "fs"),
    interfaces: devices.interfaces.map((found, at) => {
      const own = found.type === "hostdev" ? passedId(found) : interfaceId(devices.interfaces, at);
      return { ...found, alias: found.alias ?? later.interfaceId(found) ?? own };
    }),
    smartcards: named(devices.smartcards, "smartcard"),
    inputs: named(devices.inputs, "input"),
    tpms: named(devices.tpms, "tpm"),
    sounds: named(devices.sounds, "sound"),
    videos: named(devices.videos, "video"),
    hostdevs: devices.hostdevs.map((found) => ({
      ...found,
      alias: found.alias ?? later.hostdevId(found) ?? passedId(found),
    })),
    redirdevs: named(devices.redirdevs, "redir"),
    hubs: named(devices.hubs, "hub"),
    watchdogs: named(devices.watchdogs, "watchdog"),
    rngs: devices.rngs.map((found, at) => ({
      ...found,
      alias: found.alias ?? later.rngId(found) ?? `rng${deviceNumber(devices.rngs, at)}`,
    })),
    shmems: named(devices.shmems, "shmem"),
    cryptos: counted(devices.cryptos, "crypto"),
    memories: devices.memories.map((found, at) => ({ ...found, alias: memoryId(devices.memories, at) })),
  };
}

/** Devices of which a guest has at most one. */
function singles({ iommu, memballoon, pstore, vsock }: Devices): Partial<Devices> {
  return {
    ...(iommu === undefined ? {} : { iommu: { ...iommu, alias: iommu.alias ?? "iommu0" } }),
    ...(memballoon === undefined || memballoon.model === "none"
      ? {}
      : { memballoon: { ...memballoon, alias: memballoon.alias ?? "balloon0" } }),
    ...(pstore === undefined ? {} : { pstore: { ...pstore, alias: pstore.alias ?? "pstore0" } }),
    ...(vsock === undefined ? {} : { vsock: { ...vsock, alias: vsock.alias ?? "vsock0" } }),
  };
}

/** A console that stands for the first serial port gets the alias of that port. */
function withPorts(
  guest: Guest,
  later: LaterNames,
): Pick<Devices, "serials" | "parallels" | "consoles" | "channels"> {
  const { devices } = guest;
  const ports = namePorts(guest);
  const ids = new Map<object, string>(ports.map(({ id, port }) => [port.chardev, id]));
  const first = ports.find(({ port }) => port.device === "serial")?.id;
  const aliased = <D extends object>(device: D): D => {
    const alias = ids.get(device);
    return alias === undefined ? device : { ...device, alias };
  };
  return {
    serials: devices.serials.map(aliased),
    parallels: devices.parallels.map(aliased),
    channels: devices.channels.map((found) => {
      const alias = found.alias ?? later.channelId(found);
      return alias === undefined ? aliased(found) : { ...found, alias };
    }),
    consoles: devices.consoles.map((device) =>
      isSerialConsole(device) && !ids.has(device) && first !== undefined
        ? { ...device, alias: first }
        : aliased(device),
    ),
  };
}

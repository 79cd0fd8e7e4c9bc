import type { Channel, ConsoleDevice } from "../../../domain/devices/chardev.ts";
import type { Devices } from "../../../domain/devices.ts";
import { controllersOf } from "../../model/guest.ts";
import { cannotTranslate, devicePath } from "../../refusal.ts";

/** Number of ports of QEMU's virtio-serial controller. Port 0 is reserved for a console. */
export const MOST_PORTS = 31;

/** Whether a channel is a port of a virtio-serial controller. */
export function isOnVirtioSerial({ target }: Channel): boolean {
  return target.type === "virtio";
}

/** Whether a console is a port of a virtio-serial controller. */
export function isVirtioConsole({ target }: ConsoleDevice): boolean {
  return target?.type === "virtio";
}

/** A port with an address in the XML. */
interface WrittenPort {
  readonly controller: number;
  readonly bus: number;
  /** 0: QEMU chooses the port. */
  readonly port: number;
  readonly path: string;
}

/**
 * Lists the addresses of channels and consoles: they share ports. virDomainVirtioSerialAddrReserve() of
 * libvirt
 */
export function listWrittenPorts({
  channels,
  consoles,
}: Pick<Devices, "channels" | "consoles">): readonly WrittenPort[] {
  const placesOf = (element: string, family: readonly Pick<Channel | ConsoleDevice, "address">[]) =>
    family.flatMap(({ address }, index): WrittenPort[] => {
      if (address?.type !== "virtio-serial") return [];
      const { controller = 0, bus = 0, port = 0 } = address;
      return [{ controller, bus, port, path: `${devicePath(element, index)}/address` }];
    });
  return [...placesOf("channel", channels), ...placesOf("console", consoles)];
}

/** Claimed ports as keys of controller and port. */
type Taken = Set<string>;

/**
 * Assigns each virtio channel the lowest free port from 1, on its named controller or the first with a free
 * port. Adds a controller if all are full. Throws "unsupported". virDomainVirtioSerialAddrAutoAssign() of
 * libvirt
 */
export function placeChannels(devices: Devices): Devices {
  const sizes = listSizes(devices);
  const ports: Ports = {
    taken: takeWritten(devices),
    sizes,
    lowest: new Map(),
    open: [...sizes.keys()].reverse(),
  };
  return {
    ...devices,
    channels: devices.channels.map((channel, index) => {
      if (!isOnVirtioSerial(channel)) return channel;
      const place = findPort(ports, channel.address, index);
      ports.taken.add(`${place.controller}.${place.port}`);
      // A bus other than 0 is refused, or has no meaning if the address has no port.
      const bus = (channel.address?.port ?? 0) === 0 ? 0 : (channel.address?.bus ?? 0);
      return { ...channel, address: { type: "virtio-serial", bus, ...place } };
    }),
  };
}

function takeWritten(devices: Devices): Taken {
  const taken: Taken = new Set();
  for (const { controller, port, path } of listWrittenPorts(devices)) {
    if (port === 0) continue;
    const key = `${controller}.${port}`;
    if (taken.has(key)) {
      throw cannotTranslate(path, `port ${port} is in use`, "Give each device its own port.");
    }
    taken.add(key);
  }
  return taken;
}

/** Number of ports by controller. Includes controller 0 if a channel or console names none. */
function listSizes(devices: Devices): Map<number, number> {
  const written = controllersOf(devices, "virtio-serial").map(
    ({ index, ports }, at) => [index ?? at, ports ?? MOST_PORTS] as const,
  );
  const wanted = [
    ...devices.channels.filter(isOnVirtioSerial),
    ...devices.consoles.filter(isVirtioConsole),
  ].map(
    ({ address }) =>
      [(address?.type === "virtio-serial" ? address.controller : undefined) ?? 0, MOST_PORTS] as const,
  );
  const sizes = new Map([...wanted, ...written]);
  return new Map([...sizes].toSorted(([one], [other]) => one - other));
}

/** Ports of all controllers. A port that is taken stays so: each is looked at once. */
interface Ports {
  readonly taken: Taken;
  /** Number of ports by controller. */
  readonly sizes: Map<number, number>;
  /** Lowest port of a controller that may be free; absent: 1. */
  readonly lowest: Map<number, number>;
  /** Controllers with a possible free port, the first controller last. */
  readonly open: number[];
}

interface Port {
  readonly controller: number;
  readonly port: number;
}

function findPort(ports: Ports, address: Partial<Port> | undefined, index: number): Port {
  if (address !== undefined) {
    const { controller = 0 } = address;
    // Port 0 means unassigned.
    const port = address.port || freePort(ports, controller);
    if (port !== undefined) return { controller, port };
    const path = devicePath("channel", index);
    throw cannotTranslate(path, `controller ${controller} has no free port`, "Name another controller.");
  }
  for (let first = ports.open.at(-1); first !== undefined; first = ports.open.at(-1)) {
    const port = freePort(ports, first);
    if (port !== undefined) return { controller: first, port };
    ports.open.pop();
  }
  return { controller: addController(ports), port: 1 };
}

/** Adds a controller with the lowest unused number, once no other has a free port. */
function addController({ open, sizes }: Ports): number {
  let controller = 0;
  while (sizes.has(controller)) controller += 1;
  sizes.set(controller, MOST_PORTS);
  open.push(controller);
  return controller;
}

function freePort({ lowest, sizes, taken }: Ports, controller: number): number | undefined {
  const most = sizes.get(controller) ?? MOST_PORTS;
  let port = lowest.get(controller) ?? 1;
  while (port < most && taken.has(`${controller}.${port}`)) port += 1;
  lowest.set(controller, port);
  return port < most ? port : undefined;
}

import type { Devices } from "../domain/devices.ts";
import { cannotTranslate, devicePath } from "./refusal.ts";

/** QEMU's virtio-serial controller has so many ports; port 0 is kept for a console. */
const MOST_PORTS = 31;

/** Gives each virtio channel a port on its controller: the next free one from 1. Throws "unsupported". */
export function placeChannels(devices: Devices): Devices {
  const taken = new Set<string>();
  for (const [index, { address }] of devices.channels.entries()) {
    if (address?.port === undefined) continue;
    const key = `${address.controller ?? 0}.${address.port}`;
    if (taken.has(key)) {
      const path = `${devicePath("channel", index)}/address`;
      throw cannotTranslate(path, `port ${address.port} is taken`, "Give each channel a port of its own.");
    }
    taken.add(key);
  }
  return {
    ...devices,
    channels: devices.channels.map((channel, index) => {
      const controller = channel.address?.controller ?? 0;
      const port = channel.address?.port ?? nextPort(taken, controller, index);
      taken.add(`${controller}.${port}`);
      return { ...channel, address: { type: "virtio-serial", controller, bus: 0, port } };
    }),
  };
}

function nextPort(taken: ReadonlySet<string>, controller: number, index: number): number {
  for (let port = 1; port < MOST_PORTS; port += 1) {
    if (!taken.has(`${controller}.${port}`)) return port;
  }
  const path = devicePath("channel", index);
  throw cannotTranslate(path, `controller ${controller} has no free port`, "Name another controller.");
}

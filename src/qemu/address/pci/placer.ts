import { devicePath } from "../../refusal.ts";
import type { Connection, PciBuses } from "./buses.ts";

interface Placed {
  readonly address?: { readonly type: string };
}

/** Gives a device its place on PCI, unless it has an address or `connectionOf` says that it needs none. */
export type Placer = <D extends Placed>(
  element: string,
  connectionOf: (device: D) => Connection | undefined,
) => (device: D, index: number) => D;

/** The one that takes the next free place of each kind. */
export function createPlacer(buses: PciBuses): Placer {
  return (element, connectionOf) => (device, index) => {
    const connection = device.address === undefined ? connectionOf(device) : undefined;
    if (connection === undefined) return device;
    return { ...device, address: buses.take(connection, devicePath(element, index)) };
  };
}

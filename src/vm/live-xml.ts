import type { Devices } from "../domain/devices.ts";
import { formatDomain } from "../domain/document.ts";
import { runningChain } from "../plan/layers.ts";
import { guestPaths } from "../plan/paths.ts";
import { listPlugged, type Plugged } from "../plan/plugged.ts";
import { socketPath } from "../qemu/chardev-backend-words.ts";
import { type LaterNames, withAliases } from "../qemu/device-aliases.ts";
import { pciKeys } from "../qemu/device-bus.ts";
import type { Guest } from "../qemu/guest.ts";
import type { Node } from "./node.ts";
import type { GuestRecord } from "./record.ts";
import { runningGuest } from "./running-guest.ts";

/**
 * The XML of a running guest as `virsh dumpxml` shows one: with its id and its label, and of its devices their names in
 * QEMU, the terminals and sockets that they got, and the images of its disks with their numbers.
 */
export function formatLive({ paths }: Pick<Node, "paths">, record: GuestRecord): string {
  const { domain, guest } = runningGuest(record);
  const plugged = listPlugged(record.steps);
  const named = withAliases(guest, laterNames(guest, plugged));
  const { workFolder } = guestPaths(paths, record.uuid);
  const { imageLabel, label, relabel } = record.label;
  return formatDomain(
    { ...domain, devices: withSockets(named, workFolder) },
    {
      id: record.id,
      ...(label === undefined ? {} : { label }),
      ...(imageLabel === undefined || !relabel ? {} : { imageLabel }),
      terminals: new Map(Object.entries(record.terminals ?? {})),
      chains: new Map(named.disks.map(({ alias = "" }) => [alias, runningChain(plugged, alias)])),
    },
  );
}

/**
 * What came while the guest ran may have another number than its place: an interface is known by its address on the
 * network, a source of randomness by that on its bus.
 */
function laterNames(guest: Guest, { devices }: Plugged): LaterNames {
  const left = new Map(devices);
  const take = (isIt: (facts: Readonly<Record<string, unknown>>) => boolean): string | undefined => {
    const id = [...left].find(([, facts]) => isIt(facts))?.[0];
    if (id !== undefined) left.delete(id);
    return id;
  };
  return {
    interfaceId: ({ mac }) => take((facts) => facts["netdev"] !== undefined && facts["mac"] === mac?.address),
    rngId: ({ address }) => {
      if (address?.type !== "pci") return undefined;
      const place = pciKeys(guest, address);
      return take(({ addr, bus, rng }) => rng !== undefined && bus === place.bus && addr === place.addr);
    },
  };
}

/** Where svirt has chosen. */
function withSockets(devices: Devices, folder: string): Devices {
  return {
    ...devices,
    channels: devices.channels.map((found) => {
      if (found.type !== "unix" || found.source?.path !== undefined) return found;
      const path = socketPath(folder, found.alias ?? "");
      return { ...found, source: { seclabels: [], ...found.source, mode: "bind" as const, path } };
    }),
    graphics: devices.graphics.map((found) => {
      if (found.type !== "vnc") return found;
      const [first, ...others] = found.listens;
      if (first?.type !== "socket") return found;
      const socket = socketPath(folder, "vnc");
      return { ...found, socket, listens: [{ ...first, socket }, ...others] };
    }),
  };
}

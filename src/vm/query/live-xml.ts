import { unbindDisks } from "../../domain/definition-of-running.ts";
import type { Devices } from "../../domain/devices.ts";
import { formatDomain } from "../../domain/document.ts";
import { guestPaths } from "../../plan/paths.ts";
import { runningChain } from "../../plan/record/disk-chain.ts";
import { listQemuObjects } from "../../plan/record/qemu-objects.ts";
import { socketPath } from "../../qemu/devices/chardev/backend.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { namedDevices } from "../guest/named-devices.ts";
import { runningGuest } from "../guest/running-guest.ts";

/**
 * Formats the XML of a running guest as `virsh dumpxml` does, with its id and label. Devices have their names
 * in QEMU, their terminals and sockets, and the numbered images of disks. Channels have their state, as far
 * as it is known.
 */
export function formatLive(
  { paths }: Pick<Instance, "paths">,
  record: GuestRecord,
  openPorts: ReadonlyMap<string, boolean> = new Map(),
): string {
  const { domain, guest } = runningGuest(record);
  const plugged = listQemuObjects(record.steps);
  const named = namedDevices(guest, plugged);
  const { workFolder } = guestPaths(paths, record.uuid);
  const { imageLabel, label, model, relabel } = record.label;
  const devices = addPlaces({ ...named, graphics: domain.devices.graphics }, workFolder);
  return formatDomain(unbindDisks({ ...domain, devices }), {
    id: record.id,
    model,
    ...(label === undefined ? {} : { label }),
    ...(imageLabel === undefined || !relabel ? {} : { imageLabel }),
    terminals: new Map(Object.entries(record.terminals ?? {})),
    openPorts,
    chains: new Map(named.disks.map(({ alias = "" }) => [alias, runningChain(plugged, alias)])),
  });
}

/** Adds the socket paths chosen by svirt. */
function addPlaces(devices: Devices, folder: string): Devices {
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

import type { Disk } from "../../domain/devices/disk/disk.ts";
import { followDisk } from "../../domain/devices/disk/images.ts";
import { formatDomain, parseDomainText } from "../../domain/document.ts";
import { storedDomain } from "../../qemu/stored-domain.ts";
import { type Definition, readDefinition, writeDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";

/**
 * Updates the images in a guest's definition to its disks' images: the next start finds the guest's data. The
 * caller holds the registry's lock. A disk missing in the definition or elsewhere in it is unchanged. May be
 * repeated. qemuBlockJobRewriteConfigDiskSource() of libvirt
 */
export function updateDefinition(instance: Instance, guest: GuestRecord, xml: string): void {
  const followed = followGuest(readDefinition(instance, guest.name), guest, xml);
  if (followed !== undefined) writeDefinition(instance, { name: guest.name, xml: followed });
}

/** Returns the definition that updateDefinition() writes; undefined if it writes none. */
export function followGuest(
  definition: Definition | undefined,
  guest: Pick<GuestRecord, "uuid" | "xml">,
  xml: string,
): string | undefined {
  if (definition?.uuid !== guest.uuid) return undefined;
  const [before, after] = [disksOf(guest.xml), disksOf(xml)];
  const domain = parseDomainText(definition.xml);
  const disks = domain.devices.disks.map((disk) => {
    const [from, to] = [before.get(disk.target.dev), after.get(disk.target.dev)];
    return from === undefined || to === undefined ? disk : followDisk(disk, from, to);
  });
  if (disks.every((disk, at) => disk === domain.devices.disks[at])) return undefined;
  const followed = { ...domain, devices: { ...domain.devices, disks } };
  // Keeps the choices made when the domain was defined, even if the host has changed.
  return formatDomain(storedDomain(parseDomainText(formatDomain(followed))));
}

function disksOf(xml: string): ReadonlyMap<string, Disk> {
  return new Map(parseDomainText(xml).devices.disks.map((disk) => [disk.target.dev, disk]));
}

import type { NetworkInterface } from "../../../domain/devices/network/interface.ts";
import type { Guest } from "../../model/guest.ts";
import { namePorts } from "./argv.ts";
import { countDescriptors } from "./backend.ts";

/**
 * Counts libvirt's descriptor sets before the first set of an interface, the disks or the TPM. The earlier
 * sets belong to files of character devices, vhost-vdpa disks (numbered from the last) and vhost-vdpa
 * interfaces.
 */
export function countFdsets(guest: Guest, before: NetworkInterface | "disks" | "tpm"): number {
  const files = namePorts(guest).reduce((sum, { port }) => sum + countDescriptors(port.chardev), 0);
  if (before === "disks") return files;
  const { disks, interfaces } = guest.devices;
  const earlier = before === "tpm" ? interfaces : interfaces.slice(0, interfaces.indexOf(before));
  return [...disks, ...earlier].filter(({ type }) => type === "vhostvdpa" || type === "vdpa").length + files;
}

import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { type Arguments, jsonArguments } from "../../argument/argument.ts";
import type { Guest } from "../../model/guest.ts";
import type { ChainImage } from "./chain.ts";

const MANAGED = "pr-helper0";

/** -object for libvirt's helper for managed reservations. */
export function formatManagedHelper({ domain, devices }: Guest): Arguments {
  if (!devices.disks.some((disk) => reservationsOf(disk)?.managed === "yes")) return [];
  const folder = `/var/lib/libvirt/qemu/domain--1-${domain.name}`;
  return jsonArguments("-object", {
    "qom-type": "pr-manager-helper",
    id: MANAGED,
    path: `${folder}/${MANAGED}.sock`,
  });
}

/** -object for a disk's own helper, with its socket in the XML. */
export function reservationArguments(disk: Disk, node: string, role: ChainImage["role"]): Arguments {
  const reservations = reservationsOf(disk);
  if (reservations?.managed !== "no" || role !== "top") return [];
  const { path } = reservations.source;
  return jsonArguments("-object", { "qom-type": "pr-manager-helper", id: `pr-helper-${node}`, path });
}

/** Returns the id of the helper for a disk's block node. */
export function reservationKeys(disk: Disk, node: string): string | undefined {
  const managed = reservationsOf(disk)?.managed;
  if (managed === undefined) return undefined;
  return managed === "yes" ? MANAGED : `pr-helper-${node}`;
}

function reservationsOf({ source }: Disk) {
  return source !== undefined && "reservations" in source ? source.reservations : undefined;
}

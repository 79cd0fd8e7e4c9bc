import { completeGuest } from "../../qemu/complete-guest.ts";
import { listDiskIds } from "../../qemu/devices/disk/argv.ts";
import { type DriveError, parseDriveErrors } from "../../qemu/monitor/drive-errors.ts";
import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { withMonitor } from "../guest/guest-monitor.ts";
import { domainOf } from "./guest-statistics.ts";

/** A disk with full or failing storage. */
export interface DiskError {
  readonly target: string;
  readonly error: DriveError;
}

/**
 * Lists the disks of a running guest whose last request has failed. Throws "wrong-state", "timeout",
 * "failed".
 */
export async function listDiskErrors(instance: Instance, key: string): Promise<readonly DiskError[]> {
  const { guest } = findRunning(instance, key);
  const answer = await withMonitor(instance, guest.uuid, (monitor) => monitor.execute("query-block"));
  const errors = parseDriveErrors(answer);
  return [...listDiskIds(completeGuest(domainOf(guest)))].flatMap(([target, id]) =>
    errors.filter(({ device }) => device === id).map(({ error }) => ({ target, error })),
  );
}

/** Returns how many disks a running guest has. Throws "wrong-state". */
export function countDisks(instance: Instance, key: string): number {
  return domainOf(findRunning(instance, key).guest).devices.disks.length;
}

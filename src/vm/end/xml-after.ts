import { replaceDevice } from "../../domain/device.ts";
import { replaceImages } from "../../domain/devices/disk/images.ts";
import { formatDomain } from "../../domain/document.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import { findDisk } from "../../qemu/hotplug/disk.ts";
import type { GuestRecord } from "../../state/record.ts";
import { runningGuest } from "../guest/running-guest.ts";

/** Returns a guest's XML after the success of a job. */
export function xmlAfter(guest: Pick<GuestRecord, "xml">, job: BlockJob): string {
  const { domain } = runningGuest(guest);
  const disk = findDisk(domain, job.disk);
  const value = replaceImages(disk.value, job.chain);
  return formatDomain(replaceDevice(domain, disk, { element: "disk", value }));
}

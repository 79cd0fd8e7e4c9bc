import type { Domain } from "../../domain/domain.ts";
import { diskId } from "../../qemu/devices/disk/argv.ts";
import { pathOf } from "../../resolve/optional-disks.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { type DomainNote, noteDomain } from "../../state/reports/domain-notes.ts";
import { runningGuest } from "../guest/running-guest.ts";

/**
 * Notes the optional images missing from a guest's start, for clients waiting for events. `written`: the
 * domain with them, `bound`: without. qemuDomainCheckRemoveOptionalDisk() of libvirt
 */
export async function noteMissingDisks(
  instance: Instance,
  record: GuestRecord,
  { bound, written }: { readonly written: Domain; readonly bound: Domain },
): Promise<void> {
  const notes = written.devices.disks.flatMap((disk): readonly DomainNote[] => {
    const now = bound.devices.disks.find(({ target }) => target.dev === disk.target.dev);
    if (disk.source === undefined || now?.source !== undefined) return [];
    const { guest } = runningGuest(record);
    const isEmptied = now !== undefined;
    return [{ report: "disk-change", device: diskId(guest, disk), path: pathOf(disk) ?? "", isEmptied }];
  });
  await noteDomain(instance, record, ...notes);
}

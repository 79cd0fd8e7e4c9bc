import { describeHeld } from "../../run/process/still-held.ts";
import type { Instance } from "../../state/instance.ts";
import { readRecords } from "../../state/record.ts";
import { listHeldInChange } from "../change/release-resources.ts";

/** Guest with an unreleased file or device. */
export interface HeldGuest {
  readonly guest: { readonly name: string; readonly uuid: string; readonly state: "running" };
  /** Description of the change: `detach vdb`. */
  readonly change: string;
  /** Holdings of its processes, a line per holding. */
  readonly held: readonly string[];
  readonly reason: string;
  readonly remedy: string;
}

/** Lists such guests, or the guest with the UUID, as the kernel shows them now. Changes nothing. */
export function listHeldGuests(instance: Instance, uuid: string | undefined): HeldGuest[] {
  return readRecords(instance).flatMap((record): HeldGuest[] => {
    const { change, name } = record;
    if (change === undefined || (uuid !== undefined && record.uuid !== uuid)) return [];
    const held = [...new Set(listHeldInChange(instance, record).map(describeHeld))];
    if (held.length === 0) return [];
    return [
      {
        guest: { name, uuid: record.uuid, state: "running" },
        change: change.what,
        held,
        reason:
          "QEMU was told to close it, but the kernel still shows it open: until it is closed, its label and claim stay, and no other guest gets it.",
        remedy: `End the guest (svirt destroy ${name}), or run svirt recover after QEMU has closed it.`,
      },
    ];
  });
}

import { unlessRefused } from "../../errors.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, listRecorded, readRecord } from "../../state/record.ts";

/** Name of the part of a record that only a guest with a defined filter has. */
const DEFINED = '"defined"';

/**
 * Returns a guest in its start, run or end with the filter, directly or by another filter. Records of guests
 * without a defined filter are not parsed: the caller holds the registry's lock.
 */
export function findFilterUser(instance: Instance, name: string): GuestRecord | undefined {
  for (const uuid of listRecorded(instance)) {
    const text = instance.host.readText(guestPaths(instance.paths, uuid).record);
    if (text?.includes(DEFINED) !== true) continue;
    const guest = unlessRefused(() => readRecord(instance, uuid));
    if (guest !== undefined && usesFilter(guest, name)) return guest;
  }
  return undefined;
}

function usesFilter({ change, steps }: GuestRecord, name: string): boolean {
  return [...steps, ...(change?.steps ?? [])].some((step) => {
    if (step.do !== "set-tap-rules" && step.do !== "change-tap-rules") return false;
    const { rules } = step;
    return "filter" in rules && rules.defined?.filters.includes(name) === true;
  });
}

import { SvirtError } from "../errors.ts";
import { withName } from "../xml/refusal.ts";
import type { Launch } from "./launch.ts";

/**
 * What QEMU could not be told exactly: the guest would be another one than the XML asks for, so it is refused. The place
 * is the element's path, `/domain/devices/disk[2]/target`.
 */
export function cannotTranslate(place: string, why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot translate ${place} for QEMU: ${why}`, facts(place, remedy));
}

/** The refusal of words that the XML alone does not settle. The domain is a good one, and can be stored. */
export class UnsettledError extends SvirtError {}

/** The refusal of words that a start does not have either. */
export class UnstartableError extends UnsettledError {}

/** Refuses what can be stored, and is refused at a start as well: svirt does not have it. */
export function notStartable(place: string, why: string, remedy: string): UnstartableError {
  return new UnstartableError(`Cannot translate ${place} for QEMU: ${why}`, facts(place, remedy));
}

/** Refuses what depends on the host: on its settings, its secrets, a helper, or a choice that is made at a start. */
export function notSettled(place: string, why: string, remedy: string): UnsettledError {
  return new UnsettledError(`Cannot translate ${place} for QEMU: ${why}`, facts(place, remedy));
}

function facts(place: string, remedy: string) {
  return { kind: "unsupported", remedy: withName(remedy, place), place } as const;
}

/** The same refusal of another place. */
export function movedRefusal(refusal: SvirtError, place: string): SvirtError {
  const { kind, remedy } = refusal;
  const message = refusal.message.replace(refusal.place ?? place, () => place);
  const Refusal = [UnstartableError, UnsettledError].find((one) => refusal instanceof one) ?? SvirtError;
  return new Refusal(message, { kind, remedy, place });
}

/**
 * Refuses what a real start can do, but whose words in the reference's command line are not known for certain: there a
 * guess would pass for the reference's own.
 */
export function refuseUnproven(launch: Launch | undefined, place: string, what: string): void {
  if (launch !== undefined) return;
  const why = `how the reference writes ${what} is not known for certain`;
  throw notSettled(place, why, "Start the guest, or leave that out.");
}

/** The path of the `index`-th device (from 0) of an element's name, counted as XPath does. */
export function devicePath(element: string, index: number): string {
  return `/domain/devices/${element}[${index + 1}]`;
}

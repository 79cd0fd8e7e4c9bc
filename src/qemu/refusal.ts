import { SvirtError } from "../errors.ts";
import { nameInRemedy } from "../xml/refusal.ts";
import type { Launch } from "./launch.ts";

/**
 * Refuses an element that has no exact translation: QEMU's guest would differ from the XML. `place` is the
 * element's path, such as `/domain/devices/disk[2]/target`.
 */
export function cannotTranslate(place: string, why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot translate ${place} for QEMU: ${why}`, facts(place, remedy));
}

/** Refusal of arguments that depend on more than the XML. The domain is valid, and can be stored. */
export class HostDependentError extends SvirtError {}

/** Refusal of arguments also missing from a start. */
export class UnstartableError extends HostDependentError {}

/** Refuses an element for storage only: no start implements it. */
export function notStartable(place: string, why: string, remedy: string): UnstartableError {
  return new UnstartableError(`Cannot translate ${place} for QEMU: ${why}`, facts(place, remedy));
}

/**
 * Refuses an element that depends on the host: on a setting, a secret, a helper, or a choice made at a start.
 */
export function hostDependent(place: string, why: string, remedy: string): HostDependentError {
  return new HostDependentError(`Cannot translate ${place} for QEMU: ${why}`, facts(place, remedy));
}

function facts(place: string, remedy: string) {
  return { kind: "unsupported", remedy: nameInRemedy(remedy, place), place } as const;
}

/** Returns the same refusal for another place. */
export function movedRefusal(refusal: SvirtError, place: string): SvirtError {
  const { kind, remedy } = refusal;
  const message = refusal.message.replace(refusal.place ?? place, () => place);
  const Refusal = [UnstartableError, HostDependentError].find((one) => refusal instanceof one) ?? SvirtError;
  return new Refusal(message, { kind, remedy, place });
}

/**
 * Refuses an element of a real start without certain arguments of libvirt. A guess would pass for libvirt's
 * output.
 */
export function refuseUnproven(launch: Launch | undefined, place: string, what: string): void {
  if (launch !== undefined) return;
  const why = `libvirt's arguments for ${what} are not known for certain`;
  throw hostDependent(place, why, "Start the guest, or remove this setting.");
}

/**
 * Returns the path of a device. `index` counts the devices of that element from 0; the path counts from 1, as
 * XPath does.
 */
export function devicePath(element: string, index: number): string {
  return `/domain/devices/${element}[${index + 1}]`;
}

import type { Guest } from "../model/guest.ts";
import { cannotTranslate, notSettled } from "../refusal.ts";

/** What no QEMU can do, or does otherwise than the XML says, about one kind of device. */
export interface Rule<T> {
  /** Below the device's own path; empty for the device itself. */
  readonly place: string;
  readonly why: string;
  readonly remedy: string;
  /** The domain is a good one, and its words depend on the host. */
  readonly isUnsettled?: true;
  isBroken(device: T, guest: Guest): boolean;
}

/** A device with where it stands. */
interface Placed<T> {
  readonly device: T;
  readonly guest: Guest;
  readonly path: string;
}

/**
 * Throws "unsupported" for a device that breaks one of the rules. One that nothing can mend comes before one that the
 * host settles.
 */
export function refuseBroken<T>(rules: readonly Rule<T>[], { device, guest, path }: Placed<T>): void {
  const broken = rules.filter((candidate) => candidate.isBroken(device, guest));
  const rule = broken.find(({ isUnsettled }) => isUnsettled !== true) ?? broken[0];
  if (rule === undefined) return;
  const refusal = rule.isUnsettled === true ? notSettled : cannotTranslate;
  throw refusal(rule.place === "" ? path : `${path}/${rule.place}`, rule.why, rule.remedy);
}

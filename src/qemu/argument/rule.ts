import { type SvirtError, throwErrors } from "../../errors.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, notSettled, notStartable, UnsettledError } from "../refusal.ts";

/** What no QEMU can do, or does otherwise than the XML says, about one kind of device. */
export interface Rule<T> {
  /** Below the device's own path; empty for the device itself. */
  readonly place: string;
  readonly why: string;
  readonly remedy: string;
  /** The domain is a good one, and its words depend on the host; or a start refuses it as well. */
  readonly isUnsettled?: "until-start" | "always";
  isBroken(device: T, guest: Guest): boolean;
}

/** A device with where it stands. */
interface Placed<T> {
  readonly device: T;
  readonly guest: Guest;
  readonly path: string;
}

const REFUSALS = { "until-start": notSettled, always: notStartable, never: cannotTranslate };

/**
 * Throws "unsupported" for a device, with all rules that it breaks. Those that nothing can mend come before those that the
 * host settles.
 */
export function refuseBroken<T>(rules: readonly Rule<T>[], { device, guest, path }: Placed<T>): void {
  const broken = rules.filter((candidate) => candidate.isBroken(device, guest));
  const refusals = broken.map(({ isUnsettled, place, remedy, why }) => {
    return REFUSALS[isUnsettled ?? "never"](place === "" ? path : `${path}/${place}`, why, remedy);
  });
  const isFinal = (refusal: SvirtError): boolean => !(refusal instanceof UnsettledError);
  throwErrors([...refusals.filter(isFinal), ...refusals.filter((refusal) => !isFinal(refusal))]);
}

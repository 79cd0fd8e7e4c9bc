import { type SvirtError, throwErrors } from "../../errors.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, HostDependentError, hostDependent, notStartable } from "../refusal.ts";

/** A rule for a kind of device: QEMU cannot implement a device in breach of it as the XML says. */
export interface Rule<T> {
  /** Path below the device's; empty for the device itself. */
  readonly place: string;
  readonly why: string;
  readonly remedy: string;
  /**
   * For a valid domain: its arguments depend on the host ("until-start"), or a start refuses it too
   * ("always").
   */
  readonly isUndecided?: "until-start" | "always";
  isBroken(device: T, guest: Guest): boolean;
}

/** A device with its path. */
interface Placed<T> {
  readonly device: T;
  readonly guest: Guest;
  readonly path: string;
}

const REFUSALS = { "until-start": hostDependent, always: notStartable, never: cannotTranslate };

/** Throws "unsupported" with all rules broken by a device. Refusals of an invalid domain come first. */
export function refuseBroken<T>(rules: readonly Rule<T>[], { device, guest, path }: Placed<T>): void {
  const broken = rules.filter((candidate) => candidate.isBroken(device, guest));
  const refusals = broken.map(({ isUndecided, place, remedy, why }) => {
    return REFUSALS[isUndecided ?? "never"](place === "" ? path : `${path}/${place}`, why, remedy);
  });
  const isFinal = (refusal: SvirtError): boolean => !(refusal instanceof HostDependentError);
  throwErrors([...refusals.filter(isFinal), ...refusals.filter((refusal) => !isFinal(refusal))]);
}

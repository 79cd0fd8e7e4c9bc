import { numbered } from "../../xml/numbered.ts";
import { nameInRemedy } from "../../xml/refusal.ts";
import type { Domain } from "../domain.ts";

/**
 * Request that svirt can read and translate into QEMU's arguments, but not yet apply on the host: label,
 * create, pin.
 */
export interface Unimplemented {
  /** XPath of the request; for a match in a domain, unique among its neighbours. */
  readonly place: string;
  /** Operation missing from a start. */
  readonly missing: string;
  /** Reason why svirt will never implement it; absent: it is not implemented yet. */
  readonly why?: string;
  readonly remedy: string;
}

/** Kind of request, as docs/domain-xml/README.md lists it. */
export interface UnimplementedRule extends Unimplemented {
  /** Returns the domain's requests of this kind; absent properties are the rule's. */
  findIn(domain: Domain): readonly Partial<Unimplemented>[];
}

/** Rule for each device of a family, with the place inside the device. */
export interface DeviceRule<Device> {
  readonly place?: string;
  readonly missing: string;
  readonly why?: string;
  readonly remedy?: string;
  isAsked(device: Device): boolean;
}

/** Remedy in which nameInRemedy() of xml/refusal.ts names the attribute or element. */
export const LEAVE_OUT = "Leave it out.";

/** Returns a match or none. */
export function once(isAsked: boolean): readonly Partial<Unimplemented>[] {
  return isAsked ? [{}] : [];
}

/** Returns the path of a device among several; a single device has no number. */
export function devicePlace<D>(element: string, devices: readonly D[], device: D): string {
  return `/domain/devices/${numbered(element, devices, devices.indexOf(device))}`;
}

/** Returns the rules for each device of a family. */
export function forEach<Device>(
  element: string,
  list: (domain: Domain) => readonly Device[],
  rules: readonly DeviceRule<Device>[],
): readonly UnimplementedRule[] {
  return rules.map(({ isAsked, place, remedy = LEAVE_OUT, ...rule }) => {
    const within = place === undefined ? "" : `/${place}`;
    return {
      ...rule,
      place: `/domain/devices/${element}${within}`,
      remedy: nameInRemedy(remedy, `/domain/devices/${element}${within}`),
      findIn: (domain) =>
        list(domain).flatMap((device, index) =>
          isAsked(device) ? [{ place: `/domain/devices/${element}[${index + 1}]${within}` }] : [],
        ),
    };
  });
}

import { withName } from "../../xml/refusal.ts";
import type { Domain } from "../domain.ts";

/** Something that svirt can read and put in QEMU's words, but not yet do on the host: label it, make it, pin it. */
export interface Unready {
  /** Where it stands, as an XPath; of what is found in a domain, one that tells it from its neighbours. */
  readonly place: string;
  /** What a start would have to do and does not. */
  readonly missing: string;
  /** Why that is not to come; absent: it is not done yet. */
  readonly why?: string;
  readonly remedy: string;
}

/** One kind of it: what docs/domain-xml/README.md lists. */
export interface UnreadyRule extends Unready {
  /** What of the kind a domain asks for, in the words of the rule unless it has more exact ones. */
  findIn(domain: Domain): readonly Partial<Unready>[];
}

/** The same of one device among others of its kind, with the place inside of it. */
export interface DeviceRule<Device> {
  readonly place?: string;
  readonly missing: string;
  readonly why?: string;
  readonly remedy?: string;
  isAsked(device: Device): boolean;
}

/** Names the attribute or element: withName() of xml/refusal.ts. */
export const LEAVE_OUT = "Leave it out.";

/** Found once, or not. */
export function once(isAsked: boolean): readonly Partial<Unready>[] {
  return isAsked ? [{}] : [];
}

/** The path of one of several devices; a device that is alone has no number. */
export function devicePlace<D>(element: string, devices: readonly D[], device: D): string {
  const number = devices.length > 1 ? `[${devices.indexOf(device) + 1}]` : "";
  return `/domain/devices/${element}${number}`;
}

/** Rules for each device of a kind. */
export function forEach<Device>(
  element: string,
  list: (domain: Domain) => readonly Device[],
  rules: readonly DeviceRule<Device>[],
): readonly UnreadyRule[] {
  return rules.map(({ isAsked, place, remedy = LEAVE_OUT, ...rule }) => {
    const within = place === undefined ? "" : `/${place}`;
    return {
      ...rule,
      place: `/domain/devices/${element}${within}`,
      remedy: withName(remedy, `/domain/devices/${element}${within}`),
      findIn: (domain) =>
        list(domain).flatMap((device, index) =>
          isAsked(device) ? [{ place: `/domain/devices/${element}[${index + 1}]${within}` }] : [],
        ),
    };
  });
}

import { SvirtError } from "../../errors.ts";

/** Returns the refusal of a creation at a place of the volume's XML. */
export function notMade(place: string, why: string): SvirtError {
  return new SvirtError(`Cannot create the volume: /volume/${place}: ${why}`, {
    kind: "unsupported",
    from: "STORAGE",
    place: `/volume/${place}`,
    remedy: "Correct the element, or remove it.",
  });
}

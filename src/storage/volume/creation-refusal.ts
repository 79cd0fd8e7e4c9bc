import { SvirtError } from "../../errors.ts";

/**
 * Returns the refusal of a volume's name. virStorageBackendVolCreateLocal() of libvirt knows one with "/"
 * only.
 */
export function wrongName(name: string, why: string): SvirtError {
  if (!name.includes("/")) return notMade("name", why);
  return new SvirtError(`Requested operation is not valid: ${why}`, {
    kind: "wrong-state",
    from: "STORAGE",
    place: "/volume/name",
    remedy: "Give the volume another name.",
  });
}

/** Returns the refusal of a creation at a place of the volume's XML. */
export function notMade(place: string, why: string): SvirtError {
  return new SvirtError(`Cannot create the volume: /volume/${place}: ${why}`, {
    kind: "unsupported",
    from: "STORAGE",
    place: `/volume/${place}`,
    remedy: "Correct the element, or remove it.",
  });
}

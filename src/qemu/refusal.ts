import { SvirtError } from "../errors.ts";

/**
 * What QEMU could not be told exactly: the guest would be another one than the XML asks for, so it is refused. The place
 * is the element's path, `/domain/devices/disk[2]/target`.
 */
export function cannotTranslate(place: string, why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot translate ${place} for QEMU: ${why}`, { kind: "unsupported", remedy });
}

/** The path of the `index`-th device (from 0) of an element's name, counted as XPath does. */
export function devicePath(element: string, index: number): string {
  return `/domain/devices/${element}[${index + 1}]`;
}

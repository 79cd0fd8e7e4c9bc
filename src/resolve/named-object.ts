import { asSvirtError, SvirtError } from "../errors.ts";
import type { StoredXml } from "../state/xml-store.ts";
import type { LibvirtDomain } from "../virterror.ts";

/** Network or pool named by a domain, and the words of its refusals. */
export interface NamedObject {
  /** Place of the name in the domain. */
  readonly place: string;
  /** The object in libvirt's message, `network 'lan'`. */
  readonly shown: string;
  /** Command for its start. */
  readonly start: string;
  /** Part of libvirt with the refusal of an inactive object. */
  readonly from: LibvirtDomain;
  /** Returns the error for an unused name. */
  unknown(): SvirtError;
}

/**
 * Returns the XML with which the object was started. Throws its error if it is unknown, "wrong-state" if it
 * is inactive.
 */
export function activeXml(
  found: StoredXml | undefined,
  { from, place, shown, start, unknown }: NamedObject,
): string {
  if (found === undefined) throw unknown();
  if (found.active !== undefined) return found.active;
  throw new SvirtError(`Requested operation is not valid: ${shown} is not active (${place})`, {
    kind: "wrong-state",
    from,
    place,
    remedy: `Start it: ${start}`,
  });
}

/**
 * Returns the object in a file that its start has written. Throws its error with the file's path: the file is
 * damaged.
 */
export function readActive<Result>(file: string, place: string, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    const { kind, message } = asSvirtError(error);
    throw new SvirtError(`Cannot read ${file}: ${message} (${place})`, {
      kind,
      place,
      remedy: `End it: rm ${file}, and start it again`,
      cause: error,
    });
  }
}

/** Returns an error with its place in the domain. */
export function placed(error: unknown, place: string): SvirtError {
  const { kind, message, remedy } = asSvirtError(error);
  return new SvirtError(`${message} (${place})`, { kind, remedy, place, cause: error });
}

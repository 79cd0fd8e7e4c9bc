import type { FileId } from "./file.ts";
import { fileKey } from "./file-key.ts";
import type { Claim } from "./step-parts.ts";
import type { PassedTap } from "./tap.ts";

/** Resource to be released by a running guest. */
export interface ReleasedResource {
  /** fileKey() of a file, `tap-NAME` of a tap, `peers-CONTEXT` of connections to other programs. */
  readonly key: string;
  /** Undefined: only the claim is known. */
  readonly path: string | undefined;
  /** Access forbidden to the guest's processes from now on. A new shared content may still be read. */
  readonly forbidden: "any" | "writing";
  /**
   * Tap, other than a macvtap, that was passed to the guest. If svirt created it (`isMade`), it ends with its
   * last file.
   */
  readonly tap?: Pick<PassedTap, "name" | "isMade">;
  /** Number of connections kept by the guest, without their identity. */
  readonly keeps?: number;
}

/** Returns all access to a file, or only writing. */
export function accessTo(file: FileId, forbidden: ReleasedResource["forbidden"]): ReleasedResource {
  return { key: fileKey(file), path: file.path, forbidden };
}

/**
 * Returns the resource of a claim; undefined for a level, a user, a port, a PCI device or a planned socket
 * (`socket-`).
 */
export function claimed({ key, kind }: Claim): ReleasedResource | undefined {
  if (kind === "tap") return { key: `tap-${key}`, path: undefined, forbidden: "any" };
  if (kind !== "file" || key.startsWith("socket-")) return undefined;
  return { key, path: undefined, forbidden: "any" };
}

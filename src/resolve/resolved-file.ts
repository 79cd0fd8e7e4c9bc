import type { LabelOverride } from "../domain/resources/resource.ts";
import type { FileFacts } from "../host/host.ts";
import type { FileRole } from "../label/roles.ts";

/** A file that the guest will have, as found on the host. */
export interface UsedFile {
  /** The path by which the XML or an image names it. */
  readonly named: string;
  readonly facts: FileFacts;
  readonly role: FileRole;
  readonly override: LabelOverride | undefined;
  /** QEMU finds it by itself: no descriptor, but its user must be let open it. */
  readonly isFoundByQemu?: true;
  /** The header of an image names it, and not the XML: a guest may have written that. */
  readonly isNamedByImage?: true;
}

/** Whether what is missing and QEMU would make, such as a serial port's file, is made: not by a mere plan. */
export interface GatherOptions {
  readonly makeMissing: boolean;
  /** Images that svirt makes, or would make, with what they begin with: not the domain's, so they may lie where it keeps its own. */
  readonly overlays?: ReadonlyMap<string, Uint8Array>;
  /** PCI devices that svirt would take from their drivers: as if it had. */
  readonly taken?: ReadonlySet<string>;
}

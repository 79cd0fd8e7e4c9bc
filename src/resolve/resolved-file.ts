import type { LabelOverride } from "../domain/resources/resource.ts";
import type { FileFacts } from "../host/files.ts";
import type { FileRole } from "../label/role.ts";
import type { GivenFormat } from "../plan/facts/given-format.ts";

/** Future file of the guest, as inspected on the host. */
export interface ResolvedFile {
  /** Its path in the XML or an image. */
  readonly named: string;
  readonly facts: FileFacts;
  readonly role: FileRole;
  readonly override: LabelOverride | undefined;
  /** QEMU's format for its writes; absent: raw. */
  readonly format?: GivenFormat | undefined;
  /** QEMU opens it by path: it gets no descriptor, and QEMU's user needs access. */
  readonly isFoundByQemu?: true;
  /** An image's header names it, not the XML: a guest may have written the header. */
  readonly isNamedByImage?: true;
}

/**
 * Options for inspecting files. `makeMissing` creates missing files that QEMU would create, such as a serial
 * port's; a dry run does not.
 */
export interface ResolveOptions {
  readonly makeMissing: boolean;
  /**
   * Images that svirt creates or would create, with their first bytes. They are svirt's, so they may be in
   * svirt's folders.
   */
  readonly overlays?: ReadonlyMap<string, Uint8Array>;
  /** PCI devices to be detached by svirt: they count as detached. */
  readonly taken?: ReadonlySet<string>;
}

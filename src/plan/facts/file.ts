import * as v from "valibot";
import type { GivenFormat } from "./given-format.ts";
import { aString, maybeString } from "./plain-schemas.ts";
import type { Claim, Ownership } from "./step-parts.ts";

/** Identity of a file, independent of its name: the inspected inode is labelled, opened and restored. */
export const fileId = v.strictObject({
  /** Path with all symlinks resolved, at the time of inspection. */
  path: aString,
  /** `MAJOR:MINOR` of the inode's file system. stat(2) st_dev */
  device: aString,
  inode: aString,
  /** `MAJOR:MINOR` of the device of a block or character node. stat(2) st_rdev */
  node: maybeString,
});

export type FileId = v.InferOutput<typeof fileId>;

/**
 * Format in which a guest writes a file, and svirt's folder for the formats of files that keep no attribute.
 */
export interface FormatMark {
  readonly format: GivenFormat;
  readonly folder: string;
}

/** File held open by QEMU, and its labels. */
export interface LabelledFile {
  readonly id: FileId;
  /** Undefined: the file keeps its label. */
  readonly to: string | undefined;
  /** The label to restore; undefined: the file had none. */
  readonly original: string | undefined;
  readonly sharing: Claim["sharing"];
  /**
   * Mark of its format to set before the guest can write it; undefined: the file has it, or the guest only
   * reads.
   */
  readonly mark?: FormatMark | undefined;
  /**
   * Owner and mode to restore after the guest; undefined: the guest's user does not own the file and cannot
   * change them.
   */
  readonly ownership?: Ownership | undefined;
  /** Rule to keep the label of a device node, if udevd runs. */
  readonly udevRule?: { readonly path: string; readonly type: "block" | "character" } | undefined;
}

/** Socket outside the guest's folder with svirt listening for the guest. */
export interface PlannedSocket {
  /** Path in the XML. */
  readonly named: string;
  /** Path with the symlinks of its folder resolved. */
  readonly path: string;
  readonly folder: FileId;
  readonly label: string | undefined;
  /** QEMU's own socket, to which a symlink at `path` points; absent: svirt creates the socket. */
  readonly target?: string;
}

/** File readable by name to the guest's user. */
export interface GrantedFile {
  readonly file: FileId;
  readonly access: "read-only" | "read-write";
}

/** Host folder shared by the guest with all its content, and its labels. */
export interface SharedTree {
  readonly id: FileId;
  readonly access: "read-only" | "read-write";
  readonly to: string | undefined;
  readonly original: string | undefined;
  readonly sharing: Claim["sharing"];
  /** Same as in LabelledFile: the files below it are raw. */
  readonly mark?: FormatMark | undefined;
  readonly ownership?: Ownership | undefined;
}

/** Saved state loaded by a start. */
export interface Incoming {
  readonly from: FileId;
  /** Offset of QEMU's stream in the file, in bytes. */
  readonly at: number;
  /** Whether the vCPUs run afterwards. */
  readonly resumes: boolean;
  /** File to remove before the vCPUs run. The state is used once, because the disks change afterwards. */
  readonly uses?: string;
}

import * as v from "valibot";
import { aString, maybeString } from "./plain-schemas.ts";
import type { Claim, Ownership } from "./step-parts.ts";

/** Which file it is, whatever its name: what was inspected is what is labelled, opened and put back. */
export const fileId = v.strictObject({
  /** The path with every symlink resolved, as of when it was inspected. */
  path: aString,
  /** `MAJOR:MINOR` of the file system that holds the inode. stat(2) st_dev */
  device: aString,
  inode: aString,
  /** `MAJOR:MINOR` of the device that a block or character node stands for. stat(2) st_rdev */
  node: maybeString,
});

export type FileId = v.InferOutput<typeof fileId>;

/** What a plan knows of a file that only the start itself will make. */
export const FILE_TO_COME: Pick<FileId, "device" | "inode"> = { device: "0:0", inode: "0" };

/** A file by what it is, not by its path: a block device by its number, whichever node leads to it. */
export function fileKey(id: FileId): string {
  return id.node === undefined ? `inode-${id.device}-${id.inode}` : `device-${id.node}`;
}

/** A file that QEMU will hold open, and how it is to be labelled. */
export interface LabelledFile {
  readonly id: FileId;
  /** Undefined: it keeps the label it has. */
  readonly to: string | undefined;
  /** The label to put back; undefined: it has none. */
  readonly original: string | undefined;
  readonly sharing: Claim["sharing"];
  /** What comes back when the guest is gone; undefined: the file is not its user's, who cannot change it. */
  readonly ownership?: Ownership | undefined;
  /** Of a device node, where udevd runs: the rule that keeps its label. */
  readonly udevRule?: { readonly path: string; readonly type: "block" | "character" } | undefined;
}

/** A socket outside the guest's own folder, on which svirt listens for it. */
export interface PlannedSocket {
  /** The path by which the XML names it. */
  readonly named: string;
  /** With the symlinks of its folder resolved. */
  readonly path: string;
  readonly folder: FileId;
  readonly label: string | undefined;
  /** QEMU's own socket, which a symlink there leads to; absent: svirt makes one there. */
  readonly target?: string;
}

/** A file that the guest's user is let open by name. */
export interface GrantedFile {
  readonly file: FileId;
  readonly access: "read-only" | "read-write";
}

/** A folder of the host's that the guest shares with all below it, and how all that is labelled. */
export interface SharedTree {
  readonly id: FileId;
  readonly access: "read-only" | "read-write";
  readonly to: string | undefined;
  readonly original: string | undefined;
  readonly sharing: Claim["sharing"];
  /** As of a file. */
  readonly ownership?: Ownership | undefined;
}

/** A state that was saved, which a start goes on from. */
export interface Incoming {
  readonly from: FileId;
  /** Where in the file QEMU's stream begins. */
  readonly at: number;
  /** Whether the vCPUs run then. */
  readonly wakes: boolean;
  /** It serves once: this file is removed before the vCPUs run, for their disks are ahead of it from then on. */
  readonly uses?: string;
}

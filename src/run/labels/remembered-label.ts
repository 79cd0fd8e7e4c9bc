import type { FileAttributes } from "../../host/file-attributes.ts";
import type { OpenedFile } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { readMachineMarks } from "./machine-marks.ts";

// Rule: The original label is remembered on the file, in libvirt's attributes.

/**
 * Attributes with a file's original label, on the file itself. They have libvirt's names: both tools on a
 * host respect each other. Their values count only in the boot of their writing. libvirt ties them to a
 * computed boot time, which jitters, so svirt adds the kernel's boot id and uses it.
 */
const LABEL = "trusted.libvirt.security.selinux";
const COUNT = "trusted.libvirt.security.ref_selinux";
const BOOT_TIME = "trusted.libvirt.security.timestamp_selinux";
const BOOT_ID = "trusted.svirt.boot_id";
/**
 * The file's own inode number. ext4 keeps a single block for all files with the same attributes. Removing an
 * attribute from any of them takes a new block, absent on a full disk. ext4_xattr_block_set() of
 * fs/ext4/xattr.c
 */
const INODE = "trusted.svirt.inode";
const ALL: readonly string[] = [LABEL, COUNT, BOOT_TIME, BOOT_ID, INODE];

/** Remembered original label of a file. */
export interface Remembered {
  readonly original: string;
  /** Number of its users in the boot of its writing. */
  readonly users: number;
  /** Undefined: written by libvirt. */
  readonly bootId: string | undefined;
  /** Seconds since 1970; 0 if unknown. */
  readonly bootTime: number;
}

/**
 * Returns the label that the file remembers; undefined if none, or if its file system keeps no such
 * attributes. Only the attributes in `found`, if they are known, are read: each takes a system call.
 */
export function getRemembered(file: FileAttributes, found: readonly string[] = ALL): Remembered | undefined {
  const original = found.includes(LABEL) ? file.getXattr(LABEL) : undefined;
  if (original === undefined) return undefined;
  return {
    original,
    users: Number(file.getXattr(COUNT) ?? "0"),
    bootId: file.getXattr(BOOT_ID),
    bootTime: Number(file.getXattr(BOOT_TIME) ?? "0"),
  };
}

/** Reports whether svirt labelled the file in an earlier boot; undefined if unknown. */
function isOfEarlierBoot(host: Host, file: OpenedFile): boolean | undefined {
  const own = host.getMachine().id;
  // A killed svirt may have written only this machine's mark.
  const marks = readMachineMarks(host, { id: file.facts.id, file });
  const bootId = file.getXattr(BOOT_ID) ?? marks.find(({ id }) => id === own)?.bootId;
  return bootId === undefined ? undefined : bootId !== host.getBootId();
}

/**
 * Reports whether the file is the recorded file, even if devices had other numbers in an earlier boot;
 * undefined if unknown.
 */
export function isStill(host: Host, now: OpenedFile, file: FileId): boolean | undefined {
  const { id } = now.facts;
  if (id.inode !== file.inode || id.path !== file.path) return false;
  if (id.device === file.device && id.node === file.node) return true;
  return isOfEarlierBoot(host, now);
}

/**
 * Remembers the original label and the number of users. Without root or such attributes, only the record has
 * it.
 */
export function setRemembered(
  host: Host,
  file: FileAttributes,
  what: Pick<Remembered, "original" | "users"> & { readonly inode: string },
): void {
  if (host.getUid() !== 0) return;
  // The boot id is written first: a label without it would count as libvirt's.
  if (!file.setXattr(BOOT_ID, host.getBootId())) return;
  file.setXattr(INODE, what.inode);
  file.setXattr(BOOT_TIME, String(host.getBootTime()));
  file.setXattr(COUNT, String(what.users));
  file.setXattr(LABEL, what.original);
}

/** Removes the attributes after the last user. Only attributes in `found`, if known, are removed. */
export function removeRemembered(host: Host, file: FileAttributes, found: readonly string[] = ALL): void {
  if (host.getUid() !== 0) return;
  for (const name of ALL) if (found.includes(name)) file.removeXattr(name);
}

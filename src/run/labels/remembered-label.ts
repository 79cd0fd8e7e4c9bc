import type { FileAttributes, Host, OpenedFile } from "../../host/host.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { readMachineMarks } from "./machine-marks.ts";

/**
 * The attributes that keep a file's original label on the file itself, in the reference implementation's names, so that
 * both tools on one host respect each other. What they say counts only in the boot they were written in; the reference
 * ties them to a computed boot time, which jitters, so we add the kernel's boot id and go by that.
 */
const LABEL = "trusted.libvirt.security.selinux";
const COUNT = "trusted.libvirt.security.ref_selinux";
const BOOT_TIME = "trusted.libvirt.security.timestamp_selinux";
const BOOT_ID = "trusted.svirt.boot_id";
/**
 * The file's own inode number. ext4 keeps one block for all files whose attributes are the same: to take one away from a file
 * takes a new block then, which a full disk has not. ext4_xattr_block_set() of fs/ext4/xattr.c
 */
const INODE = "trusted.svirt.inode";
const ALL: readonly string[] = [LABEL, COUNT, BOOT_TIME, BOOT_ID, INODE];

/** What a file says of itself. */
export interface Remembered {
  readonly original: string;
  /** How many users it has had, in the boot that it was written in. */
  readonly users: number;
  /** Undefined: written by the reference implementation. */
  readonly bootId: string | undefined;
  /** Seconds since 1970; 0 when it does not say. */
  readonly bootTime: number;
}

/**
 * What the file remembers; undefined when nothing, or when its file system keeps no such attributes. Where it is known
 * what attributes the file has, only these are asked for: each takes a call of the kernel.
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

/** Whether svirt labelled it before the node was booted; undefined when nothing tells. */
function isOfEarlierBoot(host: Host, file: OpenedFile): boolean | undefined {
  const own = host.getMachine().id;
  // A svirt that was killed may have written this machine's mark alone.
  const marks = readMachineMarks(host, { id: file.facts.id, file });
  const bootId = file.getXattr(BOOT_ID) ?? marks.find(({ id }) => id === own)?.bootId;
  return bootId === undefined ? undefined : bootId !== host.getBootId();
}

/**
 * Whether it is the very file that was found at its path before, also in an earlier boot, which gives devices other numbers;
 * undefined when nothing tells.
 */
export function isStill(host: Host, now: OpenedFile, file: FileId): boolean | undefined {
  const { id } = now.facts;
  if (id.inode !== file.inode || id.path !== file.path) return false;
  if (id.device === file.device && id.node === file.node) return true;
  return isOfEarlierBoot(host, now);
}

/** Remembers the original label for so many users. Only root can, and not everywhere: then the record alone knows. */
export function setRemembered(
  host: Host,
  file: FileAttributes,
  what: Pick<Remembered, "original" | "users"> & { readonly inode: string },
): void {
  if (host.getUid() !== 0) return;
  // The boot id first: a label without it would pass for the reference implementation's.
  if (!file.setXattr(BOOT_ID, host.getBootId())) return;
  file.setXattr(INODE, what.inode);
  file.setXattr(BOOT_TIME, String(host.getBootTime()));
  file.setXattr(COUNT, String(what.users));
  file.setXattr(LABEL, what.original);
}

/** Forgets, when the last user is gone. The same holds for `found`. */
export function removeRemembered(host: Host, file: FileAttributes, found: readonly string[] = ALL): void {
  if (host.getUid() !== 0) return;
  for (const name of ALL) if (found.includes(name)) file.removeXattr(name);
}

import type { Host } from "../host.ts";
import type { FileId } from "../plan/guest-order.ts";

/**
 * The attributes that keep a file's original label on the file itself, in the reference implementation's names, so that
 * both tools on one host respect each other. What they say counts only in the boot they were written in; the reference
 * ties them to a computed boot time, which jitters, so we add the kernel's boot id and go by that.
 */
const LABEL = "trusted.libvirt.security.selinux";
const COUNT = "trusted.libvirt.security.ref_selinux";
const BOOT_TIME = "trusted.libvirt.security.timestamp_selinux";
const BOOT_ID = "trusted.svirt.boot_id";

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

/** What the file remembers; undefined when nothing, or when its file system keeps no such attributes. */
export function getRemembered(host: Host, file: FileId): Remembered | undefined {
  const original = host.getXattr(file, LABEL);
  if (original === undefined) return undefined;
  return {
    original,
    users: Number(host.getXattr(file, COUNT) ?? "0"),
    bootId: host.getXattr(file, BOOT_ID),
    bootTime: Number(host.getXattr(file, BOOT_TIME) ?? "0"),
  };
}

/** Whether svirt labelled it before the node was booted; undefined when nothing tells. */
export function isOfEarlierBoot(host: Host, file: FileId): boolean | undefined {
  const bootId = host.getXattr(file, BOOT_ID);
  return bootId === undefined ? undefined : bootId !== host.getBootId();
}

/** Remembers the original label for so many users. Only root can, and not everywhere: then the record alone knows. */
export function setRemembered(host: Host, file: FileId, what: Pick<Remembered, "original" | "users">): void {
  if (host.getUid() !== 0) return;
  // The boot id first: a label without it would pass for the reference implementation's.
  if (!host.setXattr(file, BOOT_ID, host.getBootId())) return;
  host.setXattr(file, BOOT_TIME, String(host.getBootTime()));
  host.setXattr(file, COUNT, String(what.users));
  host.setXattr(file, LABEL, what.original);
}

/** Forgets, when the last user is gone. */
export function removeRemembered(host: Host, file: FileId): void {
  if (host.getUid() !== 0) return;
  for (const name of [LABEL, COUNT, BOOT_TIME, BOOT_ID]) host.removeXattr(file, name);
}

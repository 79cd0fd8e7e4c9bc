import type { Formats } from "../pool-types.ts";
import type { Missing, Refused } from "./backend.ts";

/** Formats of volumes in files. virStorageFileFormat of libvirt */
export const FILES: Formats = {
  standard: "raw",
  values: [
    ...["none", "raw", "dir", "bochs", "cloop", "dmg", "iso", "vpc", "vdi", "fat", "vhd", "ploop"],
    ...["cow", "qcow", "qcow2", "qed", "vmdk"],
  ],
};

/** Remedy for a pool of a server to which svirt does not connect. */
export const NETWORKED =
  "Leave the pool inactive, and write <source protocol='…'> of the server into the domain's disk.";

/** Refusal of a file system not mounted by svirt. */
export const UNMOUNTED: Missing = {
  missing: "mount file systems",
  remedy: "Mount it yourself, by /etc/fstab for example, and define a pool of type dir on the mount point.",
};

/** Listing of a type without contradictions in its source. */
export function listNone(): readonly [] {
  return [];
}

/** Rule of a type without conditions on its source. */
export function refuseNone(): "none" {
  return "none";
}

/** Rule of a type whose sources are compared by their devices, or not at all. */
export function isNeverSame(): boolean {
  return false;
}

/**
 * Returns the refusal of a second part where a mount takes the first alone.
 * virStorageBackendFileSystemIsValid() of libvirt
 */
export function refuseSecond(part: "device" | "host", parts: readonly unknown[]): Refused | "none" {
  if (parts.length < 2) return "none";
  return {
    missing: `mount more than one ${part}`,
    remedy: `Leave one <${part}> in <source>.`,
    place: `source/${part}[2]`,
  };
}

/** Returns the attempt to mount a pool: a mount takes any device of the host and any server. */
export function mountOf(name: string): string {
  return `mount the storage pool '${name}'`;
}

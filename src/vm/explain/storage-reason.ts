import { wayOfBoolean } from "./boolean.ts";
import type { DenialFacts, Reason } from "./denial-facts.ts";
import { allowRule } from "./describe-denial.ts";

/**
 * Storage or devices with a single type for all files, and the boolean for all guests' access to all of them.
 */
interface SharedKind {
  readonly what: string;
  readonly boolean: string | undefined;
  readonly isMount: boolean;
}

/** refpolicy virt.te; vfat has no boolean. */
const KINDS: ReadonlyMap<string, SharedKind> = new Map([
  ["nfs_t", { what: "NFS", boolean: "virt_use_nfs", isMount: true }],
  ["cifs_t", { what: "a Windows share (CIFS)", boolean: "virt_use_samba", isMount: true }],
  ["fusefs_t", { what: "FUSE", boolean: "virt_use_fusefs", isMount: true }],
  ["dosfs_t", { what: "vfat", boolean: undefined, isMount: true }],
  ["iso9660_t", { what: "a CD's file system", boolean: undefined, isMount: true }],
  ["usb_device_t", { what: "the USB devices", boolean: "virt_use_usb", isMount: false }],
  ["vfio_device_t", { what: "the passed-through devices", boolean: "virt_use_vfio", isMount: false }],
  ["event_device_t", { what: "the input devices", boolean: "virt_use_evdev", isMount: false }],
  ["tty_device_t", { what: "the serial ports", boolean: "virt_use_comm", isMount: false }],
]);

/**
 * Explains a denial on storage without a label for each file, or on devices of a single type. Undefined for
 * other types.
 */
export function sharedStorageReason(facts: DenialFacts): Reason | undefined {
  const { denial, guest, source, target } = facts;
  const kind = KINDS.get(target.type);
  if (kind === undefined) return undefined;
  const { boolean } = kind;
  const rule = allowRule(denial, source, target);
  const setBoolean = boolean === undefined ? "" : wayOfBoolean(facts, boolean);
  const image = guest?.record?.label.imageLabel ?? "the guest's image label";
  return kind.isMount
    ? {
        reason: `Files on ${kind.what} have no separate labels, so SELinux could not separate the guests that use them.`,
        rule,
        remedy: `Mount it for that guest only, with context="${image}"${setBoolean}`,
      }
    : {
        reason: `All of ${kind.what} have this type, so no rule can allow a single one to a single guest.`,
        rule,
        remedy: `List the device in the guest's XML, so that svirt labels it for the guest${setBoolean}`,
      };
}

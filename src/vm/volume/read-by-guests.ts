import type { FileId } from "../../plan/facts/file.ts";
import { listNamedPaths } from "../../resolve/definition-names.ts";
import type { Instance } from "../../state/instance.ts";
import { readRecord } from "../../state/record.ts";
import { isNameOf } from "./image-names.ts";
import { isNeededBy } from "./refuse-needed.ts";
import { listDevicePools, listVolumePools } from "./volume-pool.ts";

/** Kernel and initrd in the stored form of a definition. */
const BOOT_FILES = /<(kernel|initrd)>[^<]*<\/\1>/g;

/**
 * Reports whether a guest with a claim on a file needs it no longer: it runs, and has the file as its kernel
 * or initrd alone. QEMU has read both before it answers on its monitor, and keeps them in memory. qemu.git
 * hw/i386/x86-common.c x86_load_linux()
 */
export function hasReadAll(instance: Instance, uuid: string, file: FileId): boolean {
  const guest = readRecord(instance, uuid);
  if (guest?.state !== "running" || guest.change !== undefined) return false;
  // A guest may have a file that its XML does not name, such as the copy of a disk.
  const boot = (guest.xml.match(BOOT_FILES) ?? []).flatMap(listNamedPaths);
  if (!boot.some((path) => isNameOf(instance, path, file))) return false;
  const pools = [...listVolumePools(instance), ...listDevicePools(instance)];
  return !isNeededBy(instance, { xml: guest.xml.replaceAll(BOOT_FILES, ""), pools }, file);
}

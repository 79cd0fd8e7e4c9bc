import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { deviceBytes } from "../../../resolve/pools/pool-device.ts";

// Rule: A device is formatted only if it is empty.

/**
 * Length of a device's beginning and end in which file systems, partition tables and arrays have their marks.
 */
const MARKED_BYTES = 1024 * 1024;

/**
 * Throws "wrong-state" for a device unless its beginning and its end are zeros, where all content has its
 * mark.
 */
export function refuseContent(host: Host, name: string, device: FileId): void {
  const end = Math.max(0, deviceBytes(host, { id: device }) - MARKED_BYTES);
  const isEmpty = [0, end].every((offset) =>
    host.readBytes(device, offset, MARKED_BYTES).every((byte) => byte === 0),
  );
  if (isEmpty) return;
  throw new SvirtError(
    `Cannot write to the device '${device.path}' of the storage pool '${name}': it has content`,
    {
      kind: "wrong-state",
      from: "STORAGE",
      remedy: `If it may be lost: svirt pool-build ${name} --overwrite`,
    },
  );
}

import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import { partitionedDisk } from "../../../resolve/pools/partitions.ts";
import type { Instance } from "../../../state/instance.ts";
import { makeTableCommand } from "../../../storage/pool/disk/table.ts";
import type { Formatting } from "../../../storage/pool/rules/startable.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { DISK_FORMAT_BYTES, probeDiskFormat } from "../../../storage/volume/disk-format.ts";
import { refuseContent } from "../device/refuse-content.ts";
import { refuseBuildOver } from "../device/refuse-defined.ts";
import { sourceDevice } from "../device/source-device.ts";
import { denyKey } from "../refuse-key.ts";

/**
 * Returns the step that writes an empty partition table to the disk of a pool. Throws "wrong-state" for a
 * disk with content unless it may be overwritten, and for a disk in use; "in-use" for a disk of a guest or a
 * definition; "denied" for a restricted key. The caller holds the registry's lock, and has called
 * refuseDefined() without it. virStorageBackendDiskBuildPool() of libvirt
 */
export function planTable(instance: Instance, pool: Pool, how: Formatting): StepOf<"run-tool"> {
  const { host } = instance;
  const { name, source } = pool;
  denyKey(instance, `write a partition table for the storage pool '${name}'`);
  refuseMapped(partitionedDisk(host, source.devices[0]?.path ?? "").id);
  const device = sourceDevice(instance, pool);
  // Names outside of /dev were inspected without the lock: their servers may hang.
  refuseBuildOver(instance, name, { devices: [device], isWritten: false });
  const { input, words } = makeTableCommand(device.path, source.format?.type ?? "unknown");
  if (how === "no-overwrite") {
    refuseTable(host, name, device);
    refuseContent(host, name, device);
  }
  return {
    do: "run-tool",
    words: [...words],
    attempt: `write a partition table to ${device.path}`,
    ...(input === undefined ? {} : { input }),
  };
}

/** Throws "unsupported" for a mapped device: the kernel makes no partitions of it. */
export function refuseMapped({ path }: FileId): void {
  if (!/^\/dev\/(?:dm-|mapper\/)/.test(path)) return;
  throw new SvirtError(`Cannot partition ${path}: the kernel makes no partitions of a mapped device`, {
    kind: "unsupported",
    remedy: "Use a pool of type logical on that device.",
  });
}

/** virStorageBackendDiskValidLabel() of libvirt */
function refuseTable(host: Host, name: string, device: FileId): void {
  if (probeDiskFormat(host.readBytes(device, 0, DISK_FORMAT_BYTES)) === "unknown") return;
  throw new SvirtError(
    "Requested operation is not valid: Valid disk label already present, requires --overwrite",
    {
      kind: "wrong-state",
      from: "STORAGE",
      remedy: `If the disk's content may be lost: svirt pool-build ${name} --overwrite`,
    },
  );
}

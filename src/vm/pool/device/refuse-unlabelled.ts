import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import { partitionedDisk } from "../../../resolve/pools/partitions.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { DISK_FORMAT_BYTES, probeDiskFormat } from "../../../storage/volume/disk-format.ts";

/**
 * Throws "wrong-state" with libvirt's message for a pool of partitions whose disk has no partition table.
 * Throws as partitionedDisk(). virStorageBackendDeviceIsEmpty() of libvirt
 */
export function refuseUnlabelled(host: Host, { name, source }: Pool): void {
  const path = source.devices[0]?.path ?? "";
  const { id } = partitionedDisk(host, path);
  if (probeDiskFormat(host.readBytes(id, 0, DISK_FORMAT_BYTES)) !== "unknown") return;
  throw new SvirtError(`Storage pool probe failed: Device '${path}' is unrecognized, requires build`, {
    kind: "wrong-state",
    libvirt: "STORAGE_PROBE_FAILED",
    remedy: `Make a partition table: svirt pool-build ${name}`,
  });
}

import { SvirtError } from "../../../errors.ts";
import { readLogicalVolumes } from "../../../resolve/pools/lvm-reports.ts";
import type { Instance } from "../../../state/instance.ts";
import { lvm } from "../../../storage/pool/logical/commands.ts";
import { volumeGroupOf } from "../../../storage/pool/logical/group.ts";
import type { LogicalVolume } from "../../../storage/pool/logical/reports.ts";
import { runTool } from "../../pool/made/run-tool.ts";
import type { FoundVolume } from "../find-volume.ts";
import type { DevicePool } from "../volume-pool.ts";

/**
 * Removes a volume of a pool of type logical, which LVM refuses while it is open. Throws "in-use" for one with snapshots, which would be
 * removed with it; those of thin volumes stay. The caller holds the registry's lock. virStorageBackendLogicalDeleteVol() of libvirt
 */
export function removeLogicalVolume(instance: Instance, pool: DevicePool, name: string): void {
  const group = volumeGroupOf(pool.storage);
  refuseOrigin(listLogical(instance, pool), { pool: pool.name, path: `/dev/${group}/${name}`, name });
  const words = lvm.removeVolume(group, name);
  runTool(instance.host, { words, attempt: `delete the volume ${group}/${name}` });
}

function refuseOrigin(
  all: readonly LogicalVolume[],
  { name, path, pool }: { readonly name: string; readonly path: string; readonly pool: string },
): void {
  const isThin = all.some((one) => one.name === name && one.isThin);
  const snapshot = all.find((one) => one.origin === name && !(isThin && one.isThin));
  if (snapshot === undefined) return;
  throw new SvirtError(`Cannot delete ${path}: the volume ${snapshot.name} is a snapshot of it`, {
    kind: "in-use",
    remedy: `Delete that volume first: svirt vol-delete ${snapshot.name} --pool ${pool}`,
  });
}

/** Throws "unsupported" for a sparse volume, with libvirt's message. virStorageBackendLogicalVolWipe() of libvirt */
export function refuseSparse(instance: Instance, { name, path, pool }: FoundVolume): void {
  if (!listLogical(instance, pool).some((one) => one.name === name && one.isSparse)) return;
  throw new SvirtError(
    `this function is not supported by the connection driver: logical volume '${path}' is sparse, volume wipe not supported`,
    {
      kind: "unsupported",
      libvirt: "NO_SUPPORT",
      remedy: "Delete the volume instead: its space is too small for the zeros.",
    },
  );
}

/** Returns a volume of a pool of type logical as LVM describes it; undefined for one of another type. Throws "failed". */
export function describeLogical(instance: Instance, { name, pool }: FoundVolume): LogicalVolume | undefined {
  return listLogical(instance, pool).find((one) => one.name === name);
}

/** Lists the volumes of a pool of type logical as LVM describes them; none of another type. Throws "failed". */
export function listLogical({ host }: Instance, pool: FoundVolume["pool"]): readonly LogicalVolume[] {
  const isLogical = pool.folder === undefined && pool.storage.type === "logical";
  return isLogical ? readLogicalVolumes(host, volumeGroupOf(pool.storage)) : [];
}

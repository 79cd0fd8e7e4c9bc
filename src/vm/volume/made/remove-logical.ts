import { SvirtError } from "../../../errors.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import { readLogicalVolumes } from "../../../resolve/pools/lvm-reports.ts";
import type { Instance } from "../../../state/instance.ts";
import { lvm } from "../../../storage/pool/logical/commands.ts";
import { volumeGroupOf } from "../../../storage/pool/logical/group.ts";
import type { LogicalVolume } from "../../../storage/pool/logical/reports.ts";
import type { DevicePool } from "../volume-pool.ts";

/**
 * Returns the step that removes a volume of a pool of type logical, which LVM refuses while it is open.
 * Throws "in-use" for one with snapshots, which would be removed with it; those of thin volumes stay. The
 * caller holds the registry's lock. virStorageBackendLogicalDeleteVol() of libvirt
 */
export async function planLogicalRemoval(
  instance: Instance,
  pool: DevicePool,
  name: string,
): Promise<readonly StepOf<"run-tool">[]> {
  const group = volumeGroupOf(pool.storage);
  refuseOrigin(await readLogicalVolumes(instance.host, group), {
    pool: pool.name,
    path: `/dev/${group}/${name}`,
    name,
  });
  const words = lvm.removeVolume(group, name);
  return [{ do: "run-tool", words, attempt: `delete the volume ${group}/${name}` }];
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

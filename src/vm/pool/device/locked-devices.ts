import type { FileId } from "../../../plan/facts/file.ts";
import { isGenericNode, listRelated } from "../../../resolve/related-devices.ts";
import type { Instance } from "../../../state/instance.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { changeStored } from "../../stored/change-stored.ts";
import { sourceDevices } from "./source-device.ts";

/**
 * Runs a program on the devices of a pool while no guest can be started with one, with a partition of it or
 * with its whole disk: they have the locks of a QEMU that writes to them, which end with svirt. Without the
 * registry's lock, since a large device takes long. Throws as sourceDevices(), and "in-use" for a device that
 * is locked.
 */
export async function withLockedDevices(
  instance: Instance,
  pool: Pool,
  work: () => Promise<void> | void,
): Promise<void> {
  const { host } = instance;
  // Under the registry's lock no guest claims one between the check and the locks.
  const unlock = await changeStored(instance, async () => {
    const nodes = sourceDevices(instance, pool).flatMap((id) => [id, ...relatedNodes(instance, id)]);
    return await host.lockImages([...new Map(nodes.map((id) => [id.node, id])).values()]);
  });
  try {
    await work();
  } finally {
    unlock();
  }
}

/** Lists the block devices by which data of a device is reached, too. */
function relatedNodes({ host }: Instance, id: FileId): readonly FileId[] {
  return listRelated(host, id).flatMap(({ name, number }) => {
    const facts = isGenericNode({ node: number }) ? undefined : host.inspectFile(name);
    return facts?.id.node === number ? [facts.id] : [];
  });
}

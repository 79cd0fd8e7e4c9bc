import type { FileId } from "../../../plan/facts/file.ts";
import { listRelated } from "../../../resolve/related-devices.ts";
import { type Instance, registryOf } from "../../../state/instance.ts";
import { ownerName } from "../../../state/record.ts";

/**
 * Returns the name of a guest with a claim on a block device, its partition, its whole disk or its generic
 * node. The caller holds the registry's lock.
 */
export function guestOnDevice(instance: Instance, id: FileId): string | undefined {
  return guestOn(instance, [id.node, ...listRelated(instance.host, id).map(({ number }) => number)]);
}

/**
 * Returns the name of a guest that uses one of the block or character devices with these numbers; undefined
 * without one.
 */
export function guestOn(instance: Instance, numbers: readonly (string | undefined)[]): string | undefined {
  const [holder] = numbers.flatMap((number) => registryOf(instance).listHolders("file", `device-${number}`));
  return holder && ownerName(instance, holder);
}

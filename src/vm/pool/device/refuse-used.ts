import { findUsed, readDiskUse } from "../../../resolve/busy-disk.ts";
import type { PoolDevice } from "../../../resolve/pools/pool-device.ts";
import type { Instance } from "../../../state/instance.ts";
import { guestOnDevice } from "./device-guest.ts";

/**
 * Throws the error made by `errorOf` of the reason and a helpful command, if a guest or the host uses a
 * device. The caller holds the registry's lock.
 */
export function refuseUsed(
  instance: Instance,
  devices: readonly Pick<PoolDevice, "facts" | "name">[],
  errorOf: (why: string, command: string) => Error,
): void {
  const { host } = instance;
  const use = readDiskUse(host);
  for (const { facts, name } of devices) {
    const guest = guestOnDevice(instance, facts.id);
    if (guest !== undefined) throw errorOf(`the guest ${guest} uses ${name}`, `svirt shutdown ${guest}`);
    if (findUsed(host, use, facts.id) !== undefined)
      throw errorOf(`the host uses ${name}`, "umount, or swapoff");
  }
}

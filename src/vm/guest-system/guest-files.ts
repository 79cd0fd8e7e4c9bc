import type { Devices } from "../../domain/devices.ts";
import type { AgentDiskAddress, AgentFileSystem } from "../../qemu/agent/system.ts";
import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { runningGuest } from "../guest/running-guest.ts";
import { askSystem, SLOW_MS } from "./ask-system.ts";

/** A file system that is mounted in a guest, as the guest reports it. */
export interface GuestFileSystem {
  readonly mountpoint: string;
  readonly name: string;
  readonly type: string;
  /** Targets of its disks, such as `vda`. */
  readonly targets: readonly string[];
}

/** Lists the mounted file systems of a running guest. Throws the errors of askSystem(). */
export async function listFileSystems(instance: Instance, key: string): Promise<readonly GuestFileSystem[]> {
  const { guest } = findRunning(instance, key);
  const { devices } = runningGuest(guest).domain;
  return (await askSystem({ instance, guest }, "guest-get-fsinfo")).map((found) => ({
    mountpoint: found.mountpoint,
    name: found.name,
    type: found.type,
    targets: targetsOf(devices, found),
  }));
}

function targetsOf(devices: Devices, { disk }: AgentFileSystem): readonly string[] {
  return disk.flatMap((address) => targetAt(devices, address) ?? []);
}

/**
 * Returns the target of the disk at a place in the guest; undefined if there is none.
 * virDomainDiskIndexByAddress() of libvirt
 */
export function targetAt({ controllers, disks }: Devices, place: AgentDiskAddress): string | undefined {
  const isThere = (
    address: { readonly [Part in "domain" | "bus" | "slot" | "function"]?: number },
  ): boolean =>
    (["domain", "bus", "slot", "function"] as const).every(
      (part) => (address[part] ?? 0) === place["pci-controller"][part],
    );
  const controller = controllers.find(
    ({ address }) => address !== undefined && address.type === "pci" && isThere(address),
  );
  return disks.find(({ address }) => {
    if (address?.type === "pci") return isThere(address);
    if (address?.type !== "drive" || controller === undefined) return false;
    return (
      (address.controller ?? 0) === controller.index &&
      (["bus", "target", "unit"] as const).every((part) => (address[part] ?? 0) === place[part])
    );
  })?.target.dev;
}

/**
 * Has a running guest write its file systems to disk and stop writing, all or those with these mount points.
 * Returns their number. The guest stands still until thawFileSystems(). Throws the errors of askSystem().
 */
export async function freezeFileSystems(
  instance: Instance,
  key: string,
  mountpoints: readonly string[],
): Promise<number> {
  const { guest } = findRunning(instance, key);
  const timeoutMs = SLOW_MS;
  return mountpoints.length === 0
    ? await askSystem({ instance, guest }, "guest-fsfreeze-freeze", { timeoutMs })
    : await askSystem({ instance, guest }, "guest-fsfreeze-freeze-list", {
        args: { mountpoints },
        timeoutMs,
      });
}

/** Has a running guest write again. Returns the number of file systems. Throws the errors of askSystem(). */
export async function thawFileSystems(instance: Instance, key: string): Promise<number> {
  const { guest } = findRunning(instance, key);
  return await askSystem({ instance, guest }, "guest-fsfreeze-thaw", { timeoutMs: SLOW_MS });
}

/**
 * Has a running guest discard unused blocks, in areas of at least that many bytes. Throws the errors of
 * askSystem().
 */
export async function trimFileSystems(instance: Instance, key: string, minimumBytes: bigint): Promise<void> {
  const { guest } = findRunning(instance, key);
  const args = { minimum: Number(minimumBytes) };
  await askSystem({ instance, guest }, "guest-fstrim", { args, timeoutMs: SLOW_MS });
}

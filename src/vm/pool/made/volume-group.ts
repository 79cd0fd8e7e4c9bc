import { SvirtError } from "../../../errors.ts";
import type { PoolStep } from "../../../plan/steps/pool.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import { listLogicalDevices } from "../../../resolve/pools/logical-devices.ts";
import { readPhysicalVolumes } from "../../../resolve/pools/lvm-reports.ts";
import type { Instance } from "../../../state/instance.ts";
import { withGroupLock } from "../../../state/locks.ts";
import { lvm } from "../../../storage/pool/logical/commands.ts";
import { volumeGroupOf } from "../../../storage/pool/logical/group.ts";
import type { PhysicalVolume } from "../../../storage/pool/logical/reports.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import type { SlowChange } from "../../object-change/slow-change.ts";
import { changeStored } from "../../stored/change-stored.ts";
import type { StoredIdentity } from "../../stored/mark-stored.ts";
import { guestOnDevice } from "../device/device-guest.ts";
import { refuseDefined } from "../device/refuse-defined.ts";
import { refuseUsed } from "../device/refuse-used.ts";
import type { PoolStart } from "../open-target.ts";
import { type PoolSource, startAfter } from "../start-held.ts";

// Rule: A volume group on a guest's disk is not started; one with a guest's volume is not stopped.

/**
 * Returns the change that activates the volumes of a pool's group and makes the pool active. If it fails, the
 * volumes are deactivated again, unless some were active before. Its plan throws "unsupported" without the
 * group, in libvirt's words; "in-use" for a group on a guest's disk. virStorageBackendLogicalStartPool() of
 * libvirt
 */
export function groupStart(start: PoolStart): SlowChange<StoredIdentity> {
  const { isPlannedAhead, seen } = start;
  return startAfter(start, {
    plan: async (instance) => {
      const { host } = instance;
      const group = volumeGroupOf(seen);
      const attempt = `start the volume group ${group}`;
      if (isPlannedAhead !== true) {
        const parts = (await readPhysicalVolumes(host)).filter((one) => one.group === group);
        await checkParts(instance, seen, { parts, attempt });
      }
      const wasActive = isActive(instance, seen);
      // lvm activates the possible volumes, and fails if some are left.
      const step: PoolStep = { do: "run-tool", words: lvm.activate(group), attempt };
      return [wasActive ? step : { ...step, back: deactivation(group) }];
    },
    // Two starts of a group take turns: a failed start would deactivate the volumes of the other.
    source: GROUP_SOURCE,
  });
}

/** Active volumes of a pool's group. */
export const GROUP_SOURCE = { hold: whileActivating, isUp: isActive } as const satisfies PoolSource;

function isActive({ host }: Instance, pool: Pool): boolean {
  return listLogicalDevices(host, volumeGroupOf(pool)).length > 0;
}

/** Does the work while no other pool activates the group or deactivates it. The caller holds no lock. */
export async function whileActivating<Result>(
  instance: Instance,
  pool: Pool,
  work: () => Promise<Result>,
): Promise<Result> {
  return await withGroupLock(instance, volumeGroupOf(pool), work);
}

/**
 * Returns the step that deactivates the volumes of a pool's group, if it exists. The caller holds no lock.
 * virStorageBackendLogicalStopPool() of libvirt
 */
export async function planGroupEnd({ host }: Instance, pool: Pool): Promise<readonly PoolStep[]> {
  const group = volumeGroupOf(pool);
  // Without its devices there is nothing to deactivate.
  const isThere = (await readPhysicalVolumes(host)).some((one) => one.group === group);
  return isThere ? [{ do: "run-tool", ...deactivation(group) }] : [];
}

function deactivation(group: string): Pick<StepOf<"run-tool">, "words" | "attempt"> {
  return { words: lvm.deactivate(group), attempt: `stop the volume group ${group}` };
}

/**
 * Throws "in-use" if a guest or the host uses a volume of the pool's group. The caller holds the registry's
 * lock.
 */
export function refuseUsedGroup(instance: Instance, pool: Pool): void {
  const group = volumeGroupOf(pool);
  refuseUsed(instance, listLogicalDevices(instance.host, group), (why, command) => used(group, why, command));
}

/**
 * Throws "unsupported" for a group without a device of the pool, "in-use" for a group on a guest's disk. A
 * shut-off guest counts, too: it may have written a group of the name to its disk. The caller holds no lock.
 */
export async function checkParts(
  instance: Instance,
  pool: Pool,
  { attempt, parts }: { readonly attempt: string; readonly parts: readonly PhysicalVolume[] },
): Promise<void> {
  refuseOtherGroup(instance, pool, parts);
  refuseDefined(instance, { devices: parts, attempt, isWritten: false });
  await refuseGuestsParts(instance, parts, attempt);
}

/** Throws "unsupported" with libvirt's messages. virStorageBackendLogicalMatchPoolSource() of libvirt */
function refuseOtherGroup({ host }: Instance, pool: Pool, parts: readonly PhysicalVolume[]): void {
  const {
    name,
    source: { devices },
  } = pool;
  const group = volumeGroupOf(pool);
  const numberOf = (path: string): string => host.inspectFile(path)?.id.node ?? path;
  if (parts.length === 0)
    throw new SvirtError(`unsupported configuration: cannot find logical volume group name '${group}'`, {
      kind: "unsupported",
      libvirt: "CONFIG_UNSUPPORTED",
      from: "STORAGE",
      place: "/pool/source/name",
      remedy: `Create it: svirt pool-build ${name}; or write the name of a group that pvs(8) lists.`,
    });
  const numbers = new Set(parts.map(({ path }) => numberOf(path)));
  if (devices.length === 0 || devices.some(({ path }) => numbers.has(numberOf(path)))) return;
  throw new SvirtError(
    `unsupported configuration: cannot find any matching source devices for logical volume group '${group}'`,
    {
      kind: "unsupported",
      libvirt: "CONFIG_UNSUPPORTED",
      from: "STORAGE",
      place: "/pool/source/device/@path",
      remedy: "Write the devices of the group, which pvs(8) lists, or leave <device> out.",
    },
  );
}

/** Throws "in-use" for a disk of a guest. The caller holds no lock. */
export async function refuseGuestsParts(
  instance: Instance,
  parts: readonly PhysicalVolume[],
  attempt: string,
): Promise<void> {
  await changeStored(instance, () => {
    for (const { path } of parts) {
      const id = instance.host.inspectFile(path)?.id;
      const guest = id === undefined ? undefined : guestOnDevice(instance, id);
      if (guest === undefined) continue;
      throw new SvirtError(`Cannot ${attempt}: the guest ${guest} has its disk ${path}`, {
        kind: "in-use",
        remedy: `Stop that guest: svirt shutdown ${guest}`,
      });
    }
  });
}

function used(group: string, why: string, command: string): SvirtError {
  return new SvirtError(`Cannot stop the volume group ${group}: ${why}`, {
    kind: "in-use",
    remedy: `Stop that first: ${command}`,
  });
}

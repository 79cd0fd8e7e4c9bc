import { SvirtError } from "../../../errors.ts";
import type { Step } from "../../../plan/steps/step.ts";
import { findMountAt } from "../../../run/mount-at.ts";
import type { Instance } from "../../../state/instance.ts";
import { poolStore } from "../../../state/pools/pools.ts";
import { backendOf } from "../../../storage/pool/backends/table.ts";
import { hasFormattedDevice, supportedPool } from "../../../storage/pool/rules/startable.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { findGuestBelow } from "../../guest/guests-on-mount.ts";
import { plannedOf } from "../../object-change/change-of.ts";
import { poolWork } from "../../object-change/noted-work.ts";
import type { SlowChange } from "../../object-change/slow-change.ts";
import type { StoredIdentity } from "../../stored/mark-stored.ts";
import { withLockedDevices } from "../device/locked-devices.ts";
import { refuseBuildOver } from "../device/refuse-defined.ts";
import { sourceDevice } from "../device/source-device.ts";
import { invalid } from "../find-pool.ts";
import { openedTarget, type PoolStart, planTargetOpening } from "../open-target.ts";
import { withTargetLock } from "../target-lock.ts";
import { folderAbove } from "./end-mounted.ts";
import { openPoolMount, planPoolMount } from "./open-pool-mount.ts";
import { planFileSystem } from "./plan-file-system.ts";

/**
 * Returns the change that mounts a pool's source and makes the pool active. The file system is opened first,
 * without a lock, and is mounted nowhere until the active pool is recorded. Killed before, svirt leaves
 * nothing; killed after it, a repeated start mounts it, and pool-destroy ends it. Throws "denied" for the
 * holder of a key, and as openPoolMount().
 */
export function mountedStart(start: PoolStart): SlowChange<StoredIdentity> {
  const { choose, command, options, seen } = start;
  return {
    kind: "pool",
    ...(options.isBuilt || options.formatting !== undefined
      ? {
          noted: {
            work: (instance) => poolWork(instance, seen, { command, kind: "storage" }),
            isNeeded: () => true,
          },
        }
      : {}),
    async plan(instance) {
      refuseOrder(instance, start);
      const { built, name, uuid, active } = await withTargetLock(
        instance,
        { pool: seen, isBuilt: options.isBuilt },
        (held) => {
          const { pool, xml, ...chosen } = choose();
          const steps = planMountable(instance, pool, { ...options, held });
          return { ...chosen, built: steps, active: poolStore.activeStep(instance, chosen.name, xml) };
        },
      );
      const steps = [
        ...built,
        ...formattingSteps(instance, start),
        active,
        planPoolMount(instance, supportedPool(seen, "start")),
      ];
      return plannedOf({ kind: "pool", name, uuid }, { command, steps, commit: "repeat" });
    },
    async run(instance, run) {
      refuseOrder(instance, start);
      await withTargetLock(
        instance,
        { pool: seen, isBuilt: options.isBuilt },
        async (held) => await run(planMountable(instance, choose().pool, { ...options, held })),
      );
      if (options.formatting !== undefined)
        await withLockedDevices(instance, seen, async () => await run(formattingSteps(instance, start)));
      const startable = supportedPool(seen, "start");
      const step = planPoolMount(instance, startable);
      const opened = await openPoolMount(instance, startable, step);
      try {
        return await withTargetLock(instance, { pool: seen, isBuilt: false }, async (held) => {
          const { name, pool, uuid, xml } = choose();
          planMountable(instance, pool, { isBuilt: false, held });
          const { id: folder } = openedTarget(instance, pool);
          const above = folderAbove(instance.host, folder.path);
          await run([poolStore.activeStep(instance, name, xml), { ...step, folder, above }], {
            mounts: new Map([[step.path, opened]]),
          });
          return { name, uuid };
        });
      } finally {
        await opened.close();
      }
    },
  };
}

/** Refuses an option in the XML, and a device of a definition, before anything is made. */
function refuseOrder(instance: Instance, { options, seen }: PoolStart): void {
  const { mount } = backendOf(seen.type);
  if (mount !== "none" && mount.plan !== "by the device") mount.plan(seen);
  if (options.formatting !== undefined)
    refuseBuildOver(instance, seen.name, { devices: seen.source.devices, isWritten: true });
}

function formattingSteps(instance: Instance, { options, seen }: PoolStart): readonly Step[] {
  return options.formatting === undefined ? [] : [planFileSystem(instance, seen, options.formatting)];
}

/**
 * Checks that a pool can be mounted, and returns the steps that make its folder on request. The caller holds
 * the registry's lock.
 */
function planMountable(
  instance: Instance,
  pool: Pool,
  options: Parameters<typeof planTargetOpening>[2],
): readonly Step[] {
  const steps = planTargetOpening(instance, pool, options);
  const { path } = supportedPool(pool, "start").target;
  if (findMountAt(instance.host, path) !== undefined)
    throw invalid(
      `Target '${path}' is already mounted`,
      `Unmount it: umount ${path}, or define a pool of type dir on it.`,
    );
  const guest = findGuestBelow(instance, path);
  if (guest !== undefined)
    throw new SvirtError(`Cannot mount at ${path}: the guest ${guest} uses a file or folder there`, {
      kind: "in-use",
      remedy: `Stop that guest: svirt shutdown ${guest}`,
    });
  if (hasFormattedDevice(pool)) sourceDevice(instance, pool);
  return steps;
}

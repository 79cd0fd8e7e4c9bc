import type { ObjectChange } from "../../plan/change/object-change.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Instance } from "../../state/instance.ts";
import { type Formatting, hasFolder, type TargetPool } from "../../storage/pool/rules/startable.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { carryOut } from "../object-change/carry-out.ts";
import { changeOf } from "../object-change/change-of.ts";
import type { WorkNote } from "../object-change/noted-work.ts";
import { carryOutSlow, type RunPart } from "../object-change/slow-change.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import type { BuildPart } from "./backends/backend.ts";
import { poolBackendOf } from "./backends/table.ts";
import { withLockedDevices } from "./device/locked-devices.ts";
import { refuseBuildOver } from "./device/refuse-defined.ts";
import { findTarget } from "./find-target.ts";
import type { Held } from "./make-target.ts";
import { targetHold, withTargetLock } from "./target-lock.ts";

/** Build of the pool that `choose` returns under the lock; `seen` is how it looked before. */
export interface PoolBuild {
  /** Command, such as `pool-build`. */
  readonly command: string;
  readonly seen: Pool;
  readonly formatting: Formatting | undefined;
  /** Returns the pool, if it may be built now. The caller holds the registry's lock. */
  choose(): StoredIdentity & { readonly pool: TargetPool };
}

/** Throws "in-use" if a build would overwrite a device that a definition names. The caller holds no lock. */
function refuseBuilt(instance: Instance, { formatting, seen }: PoolBuild): void {
  const { name, source, type } = seen;
  if (
    poolBackendOf(type)
      .build(formatting)
      .some(({ overwrites }) => overwrites)
  )
    refuseBuildOver(instance, name, { devices: source.devices, isWritten: true });
}

/** Returns all steps of a build, and changes nothing. The caller holds no lock. */
export async function planBuild(instance: Instance, build: PoolBuild): Promise<ObjectChange | undefined> {
  refuseBuilt(instance, build);
  const parts = partsOf(build);
  const { pool, ...identity } = await withTargetLock(
    instance,
    { pool: build.seen, isBuilt: true },
    async (held) => {
      const { pool: chosen, ...found } = build.choose();
      return {
        ...found,
        pool: chosen,
        quick: await stepsOf(instance, parts.quick, { build, pool: chosen, held }),
      };
    },
  );
  const slow = await stepsOf(instance, parts.slow, { build, pool, held: new Map() });
  const steps = [...identity.quick, ...slow];
  return changeOf(
    { kind: "pool", ...identity },
    { command: build.command, steps, commit: slow.length > 0 ? "repeat" : "end" },
  );
}

/**
 * Builds a pool: the parts that take no time under the registry's lock, then the others while its devices are
 * locked. It begins the note of the whole work. The caller holds no lock.
 */
export async function carryOutBuild(
  instance: Instance,
  build: PoolBuild,
  note?: WorkNote,
): Promise<StoredIdentity> {
  refuseBuilt(instance, build);
  const { command, seen } = build;
  const { quick, slow } = partsOf(build);
  const { held, hold } = targetHold({ pool: seen, isBuilt: true });
  const { pool, ...identity } = await carryOut(instance, {
    kind: "pool",
    hold,
    async plan() {
      const { pool: chosen, ...found } = build.choose();
      const steps = await stepsOf(instance, quick, { build, pool: chosen, held: held() });
      const change = changeOf({ kind: "pool", ...found }, { command, steps, commit: "end" });
      return { change, result: { ...found, pool: chosen } };
    },
    check: (_, next) => {
      if (next !== undefined) note?.begin();
      // The label of a new folder decides, too.
      if (next === undefined && seen.target !== undefined && hasFolder(seen))
        findTarget(instance.host, seen.target.path);
    },
  });
  for (const part of slow)
    await withLockedDevices(instance, pool, async () => {
      const change = {
        kind: "pool",
        run: async (_: Instance, run: RunPart) =>
          await run(await stepsOf(instance, [part], { build, pool, held: held() })),
      } as const;
      await carryOutSlow(instance, change, note);
    });
  return identity;
}

/** Reports whether a build waits for a program, so that a record cannot settle it. */
export function isSlowBuild(build: Pick<PoolBuild, "formatting" | "seen">): boolean {
  return partsOf(build).slow.length > 0;
}

function partsOf({ formatting, seen }: Pick<PoolBuild, "formatting" | "seen">): Parts {
  const all = poolBackendOf(seen.type).build(formatting);
  return { quick: all.filter(({ isHeld }) => isHeld), slow: all.filter(({ isHeld }) => !isHeld) };
}

interface Parts {
  readonly quick: readonly BuildPart[];
  readonly slow: readonly BuildPart[];
}

async function stepsOf(
  instance: Instance,
  parts: readonly BuildPart[],
  {
    build: { formatting },
    held,
    pool,
  }: { readonly build: PoolBuild; readonly pool: TargetPool; readonly held: Held },
): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const part of parts) steps.push(...(await part.plan(instance, pool, { formatting, held })));
  return steps;
}

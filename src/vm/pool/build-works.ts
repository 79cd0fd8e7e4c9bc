import type { Instance } from "../../state/instance.ts";
import type { Formatting, TargetPool } from "../../storage/pool/rules/startable.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import type { BuildWork } from "./backends/backend.ts";
import { poolBackendOf } from "./backends/table.ts";
import { refuseBuildOver } from "./device/refuse-defined.ts";
import type { Held } from "./make-target.ts";

/** Works of a build, in their order. */
export interface Build {
  readonly works: readonly BuildWork[];
  readonly formatting: Formatting | undefined;
}

/** Pool that is built, and the errors for files that guests of the past still hold. */
export interface Built {
  readonly pool: TargetPool;
  readonly held: Held;
}

/** Returns the build of a pool. */
export function buildOf({ type }: Pool, formatting: Formatting | undefined): Build {
  return { works: poolBackendOf(type).build(formatting), formatting };
}

/** Throws "in-use" if a build would overwrite a device that a definition names. The caller holds no lock. */
export function refuseBuilt(instance: Instance, { name, source }: Pool, { works }: Build): void {
  if (works.some(({ overwrites }) => overwrites))
    refuseBuildOver(instance, name, { devices: source.devices, isWritten: true });
}

/** Does the works that take no time, and returns what is built. The caller holds the registry's lock. */
export async function beginBuild(
  instance: Instance,
  { formatting, works }: Build,
  built: Built,
): Promise<Built> {
  for (const work of works)
    if (work.isHeld) await work.run(instance, built.pool, { formatting, held: built.held });
  return built;
}

/** Does the works that may take long. The caller holds no lock. */
export async function finishBuild(
  instance: Instance,
  { formatting, works }: Build,
  built: Built,
): Promise<void> {
  for (const work of works)
    if (!work.isHeld) await work.run(instance, built.pool, { formatting, held: built.held });
}

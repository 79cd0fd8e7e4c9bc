import type { Step } from "../../../plan/steps/step.ts";
import type { Instance } from "../../../state/instance.ts";
import type { IsSearched, IsStarted } from "../../../storage/pool/backends/table.ts";
import type { PoolType } from "../../../storage/pool/pool-types.ts";
import type { Formatting, TargetPool } from "../../../storage/pool/rules/startable.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import type { SlowChange } from "../../object-change/slow-change.ts";
import type { StoredIdentity } from "../../stored/mark-stored.ts";
import type { Held } from "../make-target.ts";
import type { PoolStart } from "../open-target.ts";
import type { PoolSource, SourceCheck } from "../start-held.ts";

/**
 * Half of a type's backend that acts on the host. Each property is mandatory: a type that lacks something
 * says so. It decides steps: `svirt plan` prints them, and a single runner carries them out.
 */
export interface PoolBackend {
  /** Whether a start also builds the pool without a request. */
  readonly isBuiltByStart: ((instance: Instance, pool: Pool) => boolean) | "never";
  /** Lists the parts of a build, in their order. As in libvirt, a pool of existing devices has none. */
  build(formatting: Formatting | undefined): readonly BuildPart[];
  /**
   * Returns the change that makes a pool active: it brings the source up, checks it, and records the pool.
   * For a pool whose source is there, the check alone.
   */
  readonly start:
    | ((start: PoolStart) => SlowChange<StoredIdentity>)
    | { readonly check: SourceCheck | undefined };
  /** Parts of an end; of a pool that holds nothing, none. */
  readonly end: PoolEnd | "holds nothing";
  /**
   * Looks at the source of an active pool that a refresh does without a lock, since they wait for a program.
   */
  readonly refresh: readonly PoolLook[];
  readonly remove: Removal | "not removed";
  readonly findSources: FindSources | "refused";
}

/** Look at the source of a pool. */
type PoolLook = (instance: Instance, pool: Pool) => Promise<void>;

/** Part of a build. */
export interface BuildPart {
  /**
   * Whether it is done under the registry's lock, so that no guest or pool is started on the disk meanwhile:
   * it takes no time. Otherwise the devices of the source are locked.
   */
  readonly isHeld: boolean;
  /** Whether it overwrites the devices of the source. */
  readonly overwrites: boolean;
  /** Decides the steps, and changes nothing. */
  plan(
    instance: Instance,
    pool: TargetPool,
    how: { readonly formatting: Formatting | undefined; readonly held: Held },
  ): Promise<readonly Step[]> | readonly Step[];
}

/** Parts of an end. `before` and `after` decide steps, and change nothing. The caller holds no lock. */
export interface PoolEnd {
  /** Decides the steps while the pool is still active. */
  before(instance: Instance, pool: Pool): Promise<readonly Step[]>;
  /** Returns the error to throw for the error of such a step, such as one with the guest that keeps it. */
  readonly explain: ((instance: Instance, pool: Pool, error: unknown) => Promise<unknown>) | "as it is";
  /** Source, brought up by a start before the pool is recorded as active; "shared": none. */
  readonly source: PoolSource | "shared";
  /**
   * Throws if the pool cannot end: its source is in use, or is another one than that of the pool that was
   * seen before. The caller holds the registry's lock.
   */
  check(instance: Instance, pool: Pool, seen: Pool): void;
  /**
   * Decides the steps after the pool is recorded as inactive: no guest gets a volume any more. If one of them
   * fails, the pool is active again.
   */
  after(instance: Instance, pool: Pool): Promise<readonly Step[]>;
}

/** Removal of a pool's storage: under the registry's lock, or while no other call uses the source. */
export type Removal = RemovalSteps &
  ({ readonly isHeld: true } | { readonly isHeld: false; readonly withSource: PoolSource["hold"] });

interface RemovalSteps {
  /** Decides the steps, and changes nothing. */
  plan(instance: Instance, pool: TargetPool): Promise<readonly Step[]> | readonly Step[];
}

/**
 * Returns the XML of the sources that pools of a type may have. `spec` returns the document that the caller
 * gives.
 */
type FindSources = (instance: Instance, spec: () => Uint8Array | undefined) => Promise<string>;

/** Backend of each type. A type that starts, or whose sources svirt finds, has the code for it. */
export type PoolBackends = {
  readonly [Type in PoolType]: IsStarted<Type> extends false ? "refused" : BackendOf<Type>;
};

type BackendOf<Type extends PoolType> = PoolBackend & {
  readonly findSources: IsSearched<Type> extends false ? "refused" : FindSources;
};

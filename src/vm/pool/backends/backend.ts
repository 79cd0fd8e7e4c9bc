import type { Instance } from "../../../state/instance.ts";
import type { IsSearched, IsStarted } from "../../../storage/pool/backends/table.ts";
import type { PoolType } from "../../../storage/pool/pool-types.ts";
import type { Formatting, TargetPool } from "../../../storage/pool/rules/startable.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import type { StoredIdentity } from "../../stored/mark-stored.ts";
import type { Held } from "../make-target.ts";
import type { PoolStart } from "../open-target.ts";
import type { SourceCheck } from "../start-held.ts";

/**
 * Half of a type's backend that acts on the host. Each property is mandatory: a type that lacks something
 * says so. What is done is a list of works, in their order, as far as no work needs the result of another.
 */
export interface PoolBackend {
  /** Whether a start also builds the pool without a request. */
  readonly isBuiltByStart: ((instance: Instance, pool: Pool) => boolean) | "never";
  /** Lists the works that make the storage of a pool. As in libvirt, a pool of existing devices has none. */
  build(formatting: Formatting | undefined): readonly BuildWork[];
  /**
   * Makes a pool active: brings its source up, checks it, and records the pool. The caller holds no lock. For
   * a pool whose source is there, the check alone.
   */
  readonly start:
    | ((instance: Instance, start: PoolStart) => Promise<StoredIdentity>)
    | { readonly check: SourceCheck | undefined };
  /** Parts of an end; of a pool that holds nothing, none. */
  readonly end: PoolEnd | "holds nothing";
  /**
   * Looks at the source of an active pool that a refresh does without a lock, since they wait for a program.
   */
  readonly refresh: readonly PoolWork[];
  readonly remove: RemoveWork | "not removed";
  readonly findSources: FindSources | "refused";
}

/** Work on the source of a pool. */
export type PoolWork = (instance: Instance, pool: Pool) => Promise<void> | void;

/** Part of a build. */
export interface BuildWork {
  /**
   * Whether it is done under the registry's lock, so that no guest or pool is started on the disk meanwhile:
   * it takes no time.
   */
  readonly isHeld: boolean;
  /** Whether it overwrites the devices of the source. */
  readonly overwrites: boolean;
  run(
    instance: Instance,
    pool: TargetPool,
    how: { readonly formatting: Formatting | undefined; readonly held: Held },
  ): Promise<void> | void;
}

/** Parts of an end. */
export interface PoolEnd {
  /** Works while the pool is still active. The caller holds no lock. */
  readonly before: readonly PoolWork[];
  /** Does the rest of the end while no start has the same source. */
  readonly withSource:
    | (<Result>(instance: Instance, pool: Pool, work: () => Promise<Result>) => Promise<Result>)
    | "shared";
  /**
   * Throws if the pool cannot end: its source is in use, or is another one than that of the pool that was
   * seen before. The caller holds the registry's lock.
   */
  check(instance: Instance, pool: Pool, seen: Pool): void;
  /**
   * Works after the pool is recorded as inactive: no guest gets a volume any more. The caller holds no lock.
   */
  readonly after: readonly PoolWork[];
}

/** Removal of a pool's storage. */
export interface RemoveWork {
  /** Whether it is done under the registry's lock. */
  readonly isHeld: boolean;
  run(instance: Instance, pool: TargetPool): Promise<void> | void;
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

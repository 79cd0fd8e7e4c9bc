import type { Host } from "../host/host.ts";
import type { Paths } from "../plan/paths.ts";
import { ClaimRegistry } from "../registry/claims.ts";
import { CLAIMED_LEVELS, type LevelAllocator } from "../registry/level-allocator.ts";
import type { Memory } from "./memory.ts";

/** A svirt instance on a host, passed to every use case. */
export interface Instance {
  readonly host: Host;
  readonly paths: Paths;
  /**
   * Set for calls from `svirt shell`, whose key permits nothing else: they may write only where guests may.
   */
  readonly isForKey?: true;
  /** Store of levels shared by several hosts; absent: the claims of this host. */
  readonly levels?: LevelAllocator;
  /**
   * Identifies the sources of this svirt. Without it, svirt stores no data that only the same build can read.
   */
  readonly build?: string;
  /** Memory of a process with many calls; absent: every call reads the disk. */
  readonly memory?: Memory;
  /**
   * Of a process that answers a client: whether the client has closed the connection. Waits without a limit
   * then end.
   */
  readonly hasCallerLeft?: () => boolean;
}

/**
 * Returns whether the instance is an ordinary user's, with this user's rights only: libvirt's
 * qemu:///session.
 */
export function isSession({ paths }: Pick<Instance, "paths">): boolean {
  return paths.instance === "session";
}

/** Returns the registry of claims of this instance. */
export function registryOf(instance: Instance): ClaimRegistry {
  return new ClaimRegistry(instance.host, instance.paths.state);
}

/** Returns the allocator of levels of this instance. */
export function levelsOf(instance: Pick<Instance, "levels">): LevelAllocator {
  return instance.levels ?? CLAIMED_LEVELS;
}

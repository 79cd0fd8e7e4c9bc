import { SvirtError } from "../errors.ts";
import { countPairs, rangesFor } from "../selinux/category-pairs.ts";
import { type Level, pairOf } from "../selinux/level.ts";
import type { ClaimRegistry } from "./claims.ts";

// Rule: A level is unique on the host.

/** Guest without a range. */
export interface LevelRequest {
  readonly uuid: string;
  /** A plan reserves nothing. */
  readonly purpose: "start" | "plan";
  /**
   * Returns the level from which the guest gets a pair of categories. It reads the policy of the host. Throws
   * "denied".
   */
  level(): Level;
  /** Ranges offered by a store to this start and in use on this host. */
  readonly refused: ReadonlySet<string>;
}

/** Ranges offered to a guest. chooseRange() checks them under the registry lock. */
export type LevelOffer =
  /** Every pair of the level, in the guest's order. Only the claims of this host decide. */
  | { readonly by: "claims" }
  /** The range reserved by a store for the guest, for several hosts. */
  | {
      readonly by: "store";
      readonly range: string;
      /** Releases the range, since the guest did not start with it. */
      release(): Promise<void>;
    };

/** Store of ranges, deciding about a guest's range. A cluster can bring its own. docs/decisions/labels.md */
export interface LevelAllocator {
  /**
   * Offers ranges to a guest. The caller holds the guest's lock and not the registry lock, so a store may be
   * on another machine. Throws "in-use" if no range is left.
   */
  offer(request: LevelRequest): Promise<LevelOffer>;
}

/** Offer of a host sharing levels with no other host. */
export const BY_CLAIMS: LevelOffer = { by: "claims" };

/** Allocator of a single host. Its store is the registry, in which a start reserves its chosen range. */
export const CLAIMED_LEVELS: LevelAllocator = { offer: () => Promise.resolve(BY_CLAIMS) };

/** Error if all offered ranges are in use on this host. Kind "in-use". */
export class LevelsTaken extends SvirtError {}

/** Use of ranges on this host. */
interface LocalUse {
  readonly uuid: string;
  readonly level: Level;
  readonly registry: ClaimRegistry;
  /** Ranges of all processes and mounts. */
  readonly inUse: ReadonlySet<string>;
  /** Range already held by the guest, for its files. */
  readonly own?: string | undefined;
}

/**
 * Returns the first offered range unused by other guests, definitions and processes. The caller holds the
 * registry lock. Throws LevelsTaken.
 */
export function chooseRange(offer: LevelOffer, use: LocalUse): string {
  const { inUse, level, own, registry, uuid } = use;
  if (own !== undefined) return own;
  const ranges = offer.by === "store" ? [checkedPair(offer.range)] : rangesFor(uuid, level);
  for (const range of ranges) {
    if (!inUse.has(range) && !isReserved(registry, range, uuid)) return range;
  }
  throw new LevelsTaken(
    offer.by === "store"
      ? `Cannot choose a level: ${offer.range}, which is reserved for the guest, is in use on this host`
      : `Cannot choose a level: all ${countPairs(level)} pairs of categories are in use`,
    { kind: "in-use", remedy: "Stop a guest, or run svirt with a wider range of categories." },
  );
}

/** Returns a store's range. Throws "failed" for any range but a pair, since it would not separate guests. */
function checkedPair(range: string): string {
  if (pairOf(range) !== undefined) return range;
  throw new SvirtError(`Cannot use the level ${range} of the store: it must be a pair of categories`, {
    kind: "failed",
    remedy: "Correct the store's entry of this guest.",
  });
}

function isReserved(registry: ClaimRegistry, range: string, uuid: string): boolean {
  const isOthers = (kind: "level" | "static"): boolean =>
    registry.isTaken(kind, range) && registry.listOthers({ kind, key: range }, uuid).length > 0;
  return isOthers("level") || isOthers("static");
}

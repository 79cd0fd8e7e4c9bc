import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { commonIds, type IdSet } from "../forms/id-set.ts";
import type { Cputune } from "../machine/cputune.ts";

/**
 * Refuses shares of the processor's caches and memory bandwidth that the host could not provide. `node` is
 * the `<domain>`. qemuValidateDomainDef() and virDomainResctrlVcpuMatch() of libvirt
 */
export function refuseCacheContradictions(
  { cachetunes, memorytunes }: Cputune,
  type: "kvm" | "qemu",
  node: XmlNode,
): void {
  const [caches, buses] = [cachetunes, memorytunes].map((tunes) => tunes.map(({ vcpus }) => vcpus));
  if (caches === undefined || buses === undefined || caches.length + buses.length === 0) return;
  const place = `cputune/${caches.length > 0 ? "cachetune" : "memorytune"}`;
  if (type !== "kvm") {
    throw notUnderstood({ node, place }, "it requires KVM", "Write <domain type='kvm'>.");
  }
  refuseDoubleShares({ cachetunes, memorytunes }, node);
  const isTwice = hasOverlap(caches) || hasOverlap(buses) || caches.some((set) => crosses(set, buses));
  if (!isTwice) return;
  throw notUnderstood({ node, place }, "a virtual CPU is in two of them", "Name each one once.");
}

// virResctrlAllocSetCacheSize() and virResctrlAllocSetMemoryBandwidth() of libvirt
function refuseDoubleShares(
  { cachetunes, memorytunes }: Pick<Cputune, "cachetunes" | "memorytunes">,
  node: XmlNode,
): void {
  const caches = cachetunes.map((tune) => tune.caches.map(({ level, id, type }) => `${level} ${id} ${type}`));
  const buses = memorytunes.map((tune) => tune.nodes.map(({ id }) => id));
  const places = [
    ["cachetune/cache", caches],
    ["memorytune/node", buses],
  ] as const;
  for (const [place, tunes] of places) {
    if (tunes.every((keys) => new Set<unknown>(keys).size === keys.length)) continue;
    const at = { node, place: `cputune/${place}` };
    throw notUnderstood(at, "two shares are for the same resource", "Leave one of them out.");
  }
}

function hasOverlap(sets: readonly IdSet[]): boolean {
  return sets.some((set, at) => sets.slice(0, at).some((other) => commonIds(other, set).length > 0));
}

/** Whether a set overlaps another and differs from it: only equal sets may have both kinds of share. */
function crosses(set: IdSet, others: readonly IdSet[]): boolean {
  return others.some((other) => {
    const common = commonIds(other, set).length;
    return common > 0 && (common !== set.length || common !== other.length);
  });
}

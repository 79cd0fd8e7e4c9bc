import type { CpuDescription } from "../../domain/other-documents/cpu-description.ts";
import type { CpuModels } from "./cpu-models.ts";
import { describedFeatures, RUN_BY_X86_64 } from "./described-features.ts";

/**
 * Outcome of a comparison: the best processor has fewer features than the described one, the same, or more.
 */
export type Comparison =
  | { readonly is: "incompatible"; readonly why: string }
  | { readonly is: "identical" }
  | { readonly is: "superset" };

/**
 * Compares the best processor of the emulator with a described processor. Throws "usage" for a model or
 * feature unknown to the emulator. x86Compute() of libvirt
 */
export function compareCpu(description: CpuDescription, models: CpuModels): Comparison {
  const { arch, isStrict, vendor } = description;
  const { best } = models;
  const { listed, ofModel } = describedFeatures(description, models);
  if (arch !== undefined && !RUN_BY_X86_64.has(arch))
    return incompatible(`CPU arch ${arch} does not match host arch`);
  if (vendor !== undefined && vendor !== best.vendor)
    return incompatible(`host CPU vendor does not match required CPU vendor ${vendor}`);
  const there = new Set(best.features);
  const { disable, forbid, force, optional, require } = listed;
  const forbidden = there.intersection(forbid);
  if (forbidden.size > 0) return incompatible("Host CPU provides forbidden features", forbidden);
  const free = force.union(optional).union(disable);
  const required = ofModel.union(require).difference(free);
  const lacking = required.difference(there);
  if (lacking.size > 0) return incompatible("Host CPU does not provide required features", lacking);
  const extra = there.difference(required).difference(free);
  if (extra.size === 0) return { is: "identical" };
  return isStrict
    ? incompatible("Host CPU does not strictly match guest CPU: Extra features", extra)
    : { is: "superset" };
}

function incompatible(why: string, features: ReadonlySet<string> = new Set()): Comparison {
  return {
    is: "incompatible",
    why: [why, ...(features.size === 0 ? [] : [[...features].toSorted().join(", ")])].join(": "),
  };
}

import { type NumaChange, replaceLiveNumatune, replaceNumatune } from "../../domain/edits/numatune.ts";
import type { IdSet } from "../../domain/forms/id-set.ts";
import type { NumaMode } from "../../domain/machine/numatune.ts";
import type { Instance } from "../../state/instance.ts";
import type { Ask, Changed } from "../change/change-domain.ts";
import { changeShares } from "./change-limits.ts";
import { findShown } from "./read-limits.ts";

/** NUMA nodes of the host for a domain's memory; an empty set: all. */
export interface NumaTuning {
  readonly mode: NumaMode;
  readonly nodes: IdSet;
}

/**
 * Returns the nodes in the XML of the guest or of the definition. Throws as findShown() does.
 * qemuDomainGetNumaParameters()
 */
export function readNumatune(instance: Instance, ask: Ask): NumaTuning {
  const { memory } = findShown(instance, ask).domain.numatune ?? {};
  return { mode: memory?.mode ?? "strict", nodes: memory?.nodeset ?? [] };
}

/**
 * Changes the nodes, in the running guest by its control group. Throws as changeShares(), and the errors of
 * the change.
 */
export async function changeNumatune(instance: Instance, ask: Ask, change: NumaChange): Promise<Changed> {
  return await changeShares(instance, ask, {
    what: "place memory",
    change: (domain) => replaceNumatune(domain, change),
    changeLive: (domain) => replaceLiveNumatune(domain, change),
  });
}

import type { SvirtError } from "../../errors.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { withoutPlan } from "../object-change/without-plan.ts";

/**
 * Returns the refusal of a plan for a pool whose source is brought up or released: these works are no steps
 * yet.
 */
export function poolWithoutPlan({ name, type }: Pool): SvirtError {
  const remedy = "See what starts and ends of pools do: docs/storage.md";
  return withoutPlan(`the storage pool '${name}'`, `the type ${type}, or of a build,`, remedy);
}

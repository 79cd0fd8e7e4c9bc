import { SvirtError } from "../../errors.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";

/**
 * Returns the refusal of a plan for a pool whose source is brought up or released: these works are no steps
 * yet.
 */
export function withoutPlan({ name, type }: Pool): SvirtError {
  return new SvirtError(
    `Cannot print the steps of the storage pool '${name}': those of the type ${type}, or of a build, are not steps yet`,
    {
      kind: "unsupported",
      from: "STORAGE",
      remedy: "See what starts and ends of pools do: docs/storage.md",
    },
  );
}

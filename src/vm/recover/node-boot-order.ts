import type { Instance } from "../../state/instance.ts";
import { startMarkedNetworks } from "../network/autostart-network.ts";
import { startMarkedPools } from "../pool/autostart-pool.ts";
import type { Autostarted } from "../stored/start-each.ts";
import { startAutostarted } from "./autostart-domains.ts";

// Rule: A boot of the node starts networks, then pools, then domains.

/** Objects that a boot of the node has started, and the errors of those that it has not. */
export interface BootStarts {
  readonly networks: Autostarted;
  readonly pools: Autostarted;
  readonly domains: Autostarted;
}

const NONE: Autostarted = { names: [], errors: [] };

/** Result without a boot. */
export const NOTHING_STARTED: BootStarts = { networks: NONE, pools: NONE, domains: NONE };

/** Starts everything that is marked to start at boot. Never throws for a single object. */
export async function startInBootOrder(instance: Instance): Promise<BootStarts> {
  const networks = await startMarkedNetworks(instance);
  const pools = await startMarkedPools(instance);
  return { networks, pools, domains: await startAutostarted(instance) };
}

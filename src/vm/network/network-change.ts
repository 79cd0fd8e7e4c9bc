import type { Instance } from "../../state/instance.ts";
import type { StoredNetwork } from "../../state/networks/networks.ts";
import type { Change, Planned } from "../object-change/change.ts";
import { changeOf as objectChangeOf } from "../object-change/change-of.ts";

/** Returns the change of a network with these steps; undefined without a step. */
export function changeOf(
  { name, uuid }: Pick<StoredNetwork, "name" | "uuid">,
  steps: Parameters<typeof objectChangeOf>[1],
): ReturnType<typeof objectChangeOf> {
  return objectChangeOf({ kind: "network", name, uuid }, steps);
}

/**
 * Returns a change of networks. Interrupted changes of all networks are settled first, since they share the
 * host's devices.
 */
export function networkChange<Result>(
  plan: (instance: Instance) => Promise<Planned<Result>> | Planned<Result>,
): Change<Result> {
  return { kind: "network", plan };
}

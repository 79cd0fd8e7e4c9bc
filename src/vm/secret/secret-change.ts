import type { ObjectChange } from "../../plan/change/object-change.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import type { Change, Planned } from "../object-change/change.ts";
import { changeOf } from "../object-change/change-of.ts";
import { dropParts } from "../object-change/parts.ts";

/**
 * Returns a change of secrets. Interrupted changes of all secrets are settled first, and the parts of values
 * removed that killed calls have left.
 */
export function secretChange<Result>(plan: (instance: Instance) => Planned<Result>): Change<Result> {
  return {
    kind: "secret",
    plan,
    hold: async (instance, work) =>
      await withRegistryLock(instance, async () => {
        dropParts(instance);
        return await work();
      }),
  };
}

/** Returns the change of a secret with these steps. */
export function secretChangeOf(
  uuid: string,
  steps: Parameters<typeof changeOf>[1],
): ObjectChange | undefined {
  return changeOf({ kind: "secret", name: uuid, uuid }, steps);
}

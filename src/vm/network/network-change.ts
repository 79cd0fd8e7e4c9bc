import type { CommitPoint, ObjectChange } from "../../plan/change/object-change.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Instance } from "../../state/instance.ts";
import type { StoredNetwork } from "../../state/networks/networks.ts";
import type { Change, Planned } from "../object-change/change.ts";

/**
 * Steps of a change of a network, with the step from which an interruption is finished: the first or the last
 * one.
 */
interface NetworkSteps {
  /** Command, such as `net-start`. */
  readonly command: string;
  readonly steps: readonly Step[];
  readonly commit: "first" | "last" | "begin";
}

/** Returns the change of a network with these steps; undefined without a step. */
export function changeOf(
  { name, uuid }: Pick<StoredNetwork, "name" | "uuid">,
  { command, commit, steps }: NetworkSteps,
): ObjectChange | undefined {
  if (steps.length === 0) return undefined;
  return {
    object: { kind: "network", key: uuid },
    what: `${command} ${name}`,
    steps,
    commit: pointOf(commit, steps),
  };
}

function pointOf(commit: NetworkSteps["commit"], steps: readonly Step[]): CommitPoint {
  if (commit === "begin") return "begin";
  return commit === "first" ? 0 : steps.length - 1;
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

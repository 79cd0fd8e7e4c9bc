import type { CommitPoint, ObjectChange } from "../../plan/change/object-change.ts";
import type { ObjectKind } from "../../plan/change/object-kinds.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Planned } from "./change.ts";

/** Object of a change. */
interface Changed {
  readonly kind: ObjectKind;
  readonly name: string;
  readonly uuid: string;
}

/** Steps of a change, with the step from which an interruption is finished: its index, the first or last. */
interface CommandSteps {
  /** Command, such as `net-start`. */
  readonly command: string;
  readonly steps: readonly Step[];
  readonly commit: "first" | "last" | "begin" | "end" | "repeat" | number;
}

/** Returns the change of an object with these steps; undefined without a step. */
export function changeOf(
  { kind, name, uuid }: Changed,
  { command, commit, steps }: CommandSteps,
): ObjectChange | undefined {
  if (steps.length === 0) return undefined;
  return { object: { kind, key: uuid }, what: `${command} ${name}`, steps, commit: pointOf(commit, steps) };
}

/** Returns the plan of a change whose result is the object's name and UUID. */
export function plannedOf(changed: Changed, steps: CommandSteps): Planned<Pick<Changed, "name" | "uuid">> {
  const { name, uuid } = changed;
  return { change: changeOf(changed, steps), result: { name, uuid } };
}

function pointOf(commit: CommandSteps["commit"], steps: readonly Step[]): CommitPoint {
  if (commit === "first") return 0;
  return commit === "last" ? steps.length - 1 : commit;
}

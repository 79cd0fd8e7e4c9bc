import { labelOfRole } from "../../label/file-label.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import type { Incoming } from "../facts/file.ts";
import type { Step } from "../steps/step.ts";
import type { StartDecision } from "./start.ts";

/**
 * Plans the last steps of a start: the vCPUs run, or a state is loaded. Only a start that has come so far
 * discards another state. Its disks change once the vCPUs run.
 */
export function planWaking(decision: StartDecision): Step[] {
  const { commands, incoming, paths } = decision;
  if (incoming !== undefined) return [planLoad(decision, incoming)];
  return [...planDiscard(decision), { do: "resume", monitor: paths.monitor, commands: [...commands] }];
}

/** Plans the steps after a state is loaded. They cannot be undone, since the guest must exist only once. */
export function planResume(decision: StartDecision): Step[] {
  const { commands, incoming, paths } = decision;
  if (incoming === undefined) return [];
  const told = commands.filter(({ execute }) => execute !== "cont" || incoming.resumes);
  return [
    ...(incoming.uses === undefined ? [] : [{ do: "remove-file", path: incoming.uses } as const]),
    ...planDiscard(decision),
    ...(told.length === 0 ? [] : [{ do: "resume", monitor: paths.monitor, commands: told } as const]),
  ];
}

/** Plans the removal of a saved state that the start does not load. */
function planDiscard({ discards }: StartDecision): Step[] {
  return discards === undefined ? [] : [{ do: "remove-file", path: discards }];
}

function planLoad({ label, paths }: StartDecision, { at, from }: Incoming): Step {
  const to = labelOfRole(label, LABEL_ROLES["saved-state"]["read-write"].role);
  return {
    do: "load-memory",
    monitor: paths.monitor,
    from,
    at,
    ...(to === undefined ? {} : { label: to }),
  };
}

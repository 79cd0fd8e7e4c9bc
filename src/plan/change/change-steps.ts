import type { Step } from "../steps/step.ts";

/** Steps of a change of a running guest: `steps` can be undone; `after` then finish the change. */
export interface ChangeSteps {
  readonly steps: readonly Step[];
  readonly after: readonly Step[];
}

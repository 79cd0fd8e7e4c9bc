import type { Step } from "./step.ts";

/** What a change of a running guest takes: steps that can be taken back and, once they are done, those that finish it. */
export interface ChangeSteps {
  readonly steps: readonly Step[];
  readonly after: readonly Step[];
}

import type { Kind } from "./kind.ts";
import type { Step } from "./step.ts";

/** Returns the definition of a step's kind. */
export function kindOf(step: Step): Kind<Step> {
  // Loaded on demand: a start undoes nothing unless it fails, and constructing the schemas of all steps takes
  // a twentieth of it.
  const { KINDS }: typeof import("./kinds.ts") = require("./kinds.ts");
  // The compiler does not relate a step to the entry of its name.
  return KINDS[step.do] as unknown as Kind<Step>;
}

import type { ClaimStep } from "../../plan/steps/claim.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { StoredStep } from "../../plan/steps/stored.ts";
import type { Actor } from "../actor.ts";
import { runClaim } from "./claim.ts";
import type { Runs } from "./step-effects.ts";
import { runStored } from "./stored.ts";

/** Step on svirt's own files. A change of a definition has no other. */
export type QuickStep = ClaimStep | StoredStep;

const QUICK_RUNS: Runs<QuickStep> = { ...runClaim, ...runStored };

/** Carries out a step. It decides nothing, because the step has all data. Throws the errors of the host. */
export async function runStep(actor: Actor, step: Step): Promise<void> {
  // The compiler does not relate a step to the entry of its name.
  const run = runsOf(step)[step.do] as (actor: Actor, step: Step) => void | Promise<void>;
  await run(actor, step);
}

function runsOf({ do: name }: Step): Partial<Runs<Step>> {
  if (name in QUICK_RUNS) return QUICK_RUNS;
  // Loaded on demand: it has the effects on guests, networks and pools.
  const { OTHER_RUNS }: typeof import("./other-runs.ts") = require("./other-runs.ts");
  return OTHER_RUNS;
}

import type { ClaimStep } from "../../plan/steps/claim.ts";
import type { Runs } from "./step-effects.ts";

/** Effects of the steps on claims. */
export const runClaim: Runs<ClaimStep> = {
  reserve: ({ owner, registry }, { claim }) => registry.reserve(claim, owner),
  release: ({ owner, registry }, { claim }) => registry.release(claim, owner),
};

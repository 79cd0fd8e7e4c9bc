import * as v from "valibot";
import { fileKey, PENDING_FILE } from "../facts/file-key.ts";
import { claimed } from "../facts/released-resource.ts";
import { type Claim, claim } from "../facts/step-parts.ts";
import { type Kinds, noInverse } from "./kind.ts";

const reserve = v.strictObject({ do: v.literal("reserve"), claim });
const release = v.strictObject({ do: v.literal("release"), claim });

/** Step on a claim in the registry. */
export type ClaimStep = v.InferOutput<typeof reserve | typeof release>;

/** Definition of each kind of step in this file. */
export const claimSteps: Kinds<ClaimStep> = {
  reserve: {
    schema: reserve,
    inverse: (done) => ({ do: "release", claim: done.claim }),
    describe: (step) => `reserve ${describeClaim(step.claim)}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  release: {
    schema: release,
    inverse: noInverse,
    describe: (step) => `release ${describeClaim(step.claim)}`,
    where: "host",
    record: "kept",
    releases: (done) => claimed(done.claim),
  },
};

function describeClaim({ key, kind, sharing }: Claim): string {
  const isToCome = key === fileKey({ path: "", ...PENDING_FILE });
  return `${kind} ${isToCome ? "that the start creates" : key} (${sharing})`;
}

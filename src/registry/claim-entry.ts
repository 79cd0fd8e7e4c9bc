import * as v from "valibot";
import { claim, ownership } from "../plan/facts/step-parts.ts";

const claimEntry = v.strictObject({
  sharing: v.picklist(["exclusive", "shared"]),
  label: v.exactOptional(v.string()),
  original: v.exactOptional(v.string()),
  ownership: v.exactOptional(ownership),
});

/** Content of a claim's file. */
export interface ClaimEntry extends v.InferOutput<typeof claimEntry> {}

/** Kinds of claims. */
export const CLAIM_KINDS = claim.entries.kind.options;

/** Reads the content of a claim's file. Throws for damage. */
export function readClaim(text: string): ClaimEntry {
  return v.parse(claimEntry, JSON.parse(text));
}

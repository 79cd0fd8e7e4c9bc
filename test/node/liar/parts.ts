import type { Run } from "../isolation/attempt.ts";

/** A group of the liar's tries, and who makes them. */
export interface Part {
  readonly group: "handed" | "limits" | "monitor";
  readonly runs: readonly Run[];
}

/** As liar.sh has them. */
export const PARTS: readonly Part[] = [
  { group: "handed", runs: ["kvm", "tcg", "owner", "control"] },
  { group: "limits", runs: ["kvm", "tcg", "control"] },
  { group: "monitor", runs: ["kvm", "control"] },
];

import type { Run } from "../isolation/attempt.ts";

/** Group of the liar's attempts, and its runs. */
export interface Part {
  readonly group: "handed" | "limits" | "monitor";
  readonly runs: readonly Run[];
}

/** Groups of liar.sh. */
export const PARTS: readonly Part[] = [
  { group: "handed", runs: ["kvm", "tcg", "owner", "control"] },
  { group: "limits", runs: ["kvm", "tcg", "control"] },
  { group: "monitor", runs: ["kvm", "control"] },
];

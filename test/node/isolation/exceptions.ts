import type { AttemptResult, Run } from "./attempt.ts";

/** An attempt that goes otherwise than the rule of its group, and why that is so. */
export interface Exception {
  readonly id: string;
  readonly runs: readonly Run[];
  readonly verdict: AttemptResult["verdict"];
  readonly reason: string;
}

function stillAllowed(ids: readonly string[], reason: string): Exception[] {
  return ids.map((id) => ({ id, runs: ["kvm", "tcg", "label"], verdict: "done", reason }));
}

function notInControl(
  ids: readonly string[],
  verdict: AttemptResult["verdict"],
  reason: string,
): Exception[] {
  return ids.map((id) => ({ id, runs: ["control"], verdict, reason }));
}

/** What is known to differ. One that has become untrue is a fault too, so that the list stays short and true. */
export const EXCEPTIONS: readonly Exception[] = [
  ...stillAllowed(["code.personality"], "no right is asked for: it harms the process itself alone"),
  ...notInControl(["code.wx", "code.stack"], "refused", "Debian's policy denies execmem to unconfined_t too"),
];

import { MOST_WAITED } from "./rules.ts";

/** Reasons for running a file, the most urgent first. */
const REASONS = ["always", "due", "changed", "failed", "source", "waiting"] as const;
export type Reason = (typeof REASONS)[number];

/** Test file that the gate may run. */
export interface Candidate {
  readonly file: string;
  /** Seconds that it takes on one node. */
  readonly seconds: number;
  /** Landings since it has passed; undefined if it has never passed. */
  readonly waited: number | undefined;
  readonly reason: Reason;
}

/** Files to run, and the files that the budget does not allow. */
export interface Plan {
  readonly run: readonly Candidate[];
  readonly leftOut: readonly Candidate[];
  /** Sum of the seconds of `run`. */
  readonly seconds: number;
}

/** Seconds of each file in addition to its own: the check of the node's state. */
const BETWEEN_FILES = 6;
/** Part of a later gate's free seconds that due files may take: changed files take the rest. */
const SHARE_OF_DUE = 0.75;

/** Reports whether the gate fails without the file. */
export function isMust({ reason }: Candidate): boolean {
  return reason === "always" || reason === "due";
}

/**
 * Chooses the files of a run, as long as their sum stays within the budget, in seconds: files without which
 * the gate fails, changed and failed files; then as many of the longest waiting as the next gates need in
 * order to keep up; then files of changed sources; then the longest waiting. If the files without which the
 * gate fails exceed the budget, so does the plan.
 */
export function planGate(candidates: readonly Candidate[], budget: number): Plan {
  const ordered = candidates.toSorted(byUrgency);
  const isUrgent = ({ reason }: Candidate): boolean => reason !== "source" && reason !== "waiting";
  const plan = makePlan(budget);
  for (const candidate of ordered.filter(isUrgent)) plan.add(candidate);
  const others = ordered.filter((candidate) => !isUrgent(candidate));
  const reserved = plan.seconds() + secondsToKeepUp(others, budget - secondsOfMust(ordered));
  for (const candidate of others.toSorted(byWait)) if (plan.seconds() < reserved) plan.add(candidate);
  for (const candidate of others) plan.add(candidate);
  const run = plan.chosen();
  return { run, leftOut: ordered.filter((candidate) => !run.includes(candidate)), seconds: plan.seconds() };
}

/** Collects files up to the budget. */
function makePlan(budget: number) {
  const run = new Set<Candidate>();
  let seconds = 0;
  return {
    chosen: () => [...run],
    seconds: () => seconds,
    add(candidate: Candidate): void {
      if (run.has(candidate) || (!isMust(candidate) && seconds + costOf(candidate) > budget)) return;
      run.add(candidate);
      seconds += costOf(candidate);
    },
  };
}

/**
 * Returns the seconds that waiting files need now, so that each later gate can run its due files in its share
 * of free seconds: a file that has waited for w landings must run in one of the next MOST_WAITED - w gates,
 * or in this one.
 */
function secondsToKeepUp(waiting: readonly Candidate[], free: number): number {
  const needs = Array.from({ length: MOST_WAITED + 1 }, (_, gates) => {
    const urgent = waiting.filter((candidate) => waitOf(candidate) >= MOST_WAITED - gates);
    return sumOf(urgent) - gates * Math.max(0, free) * SHARE_OF_DUE;
  });
  return Math.max(0, ...needs);
}

function secondsOfMust(candidates: readonly Candidate[]): number {
  return sumOf(candidates.filter(({ reason }) => reason === "always"));
}

function sumOf(candidates: readonly Candidate[]): number {
  return candidates.reduce((sum, candidate) => sum + costOf(candidate), 0);
}

function costOf({ seconds }: Candidate): number {
  return seconds + BETWEEN_FILES;
}

function byUrgency(one: Candidate, other: Candidate): number {
  return REASONS.indexOf(one.reason) - REASONS.indexOf(other.reason) || byWait(one, other);
}

/** Orders the longest waiting first, then the longest running: it fits worst later. */
function byWait(one: Candidate, other: Candidate): number {
  return waitOf(other) - waitOf(one) || other.seconds - one.seconds || (one.file < other.file ? -1 : 1);
}

function waitOf({ waited }: Candidate): number {
  return waited ?? MOST_WAITED;
}

/**
 * Formats the plan for a reader: the chosen files by reason with their sum, and the files left out by their
 * wait.
 */
export function formatPlan(plan: Plan, budget: number): string {
  const head = `planned: ${plan.run.length} files, ${plan.seconds} s of ${budget} s`;
  const chosen = REASONS.flatMap((reason) => {
    const files = plan.run.filter((candidate) => candidate.reason === reason);
    return files.length === 0 ? [] : [`  ${reason}: ${files.map(nameWithSeconds).join(", ")}`];
  });
  return [head, ...chosen, ...formatLeftOut(plan.leftOut)].join("\n");
}

function formatLeftOut(leftOut: readonly Candidate[]): readonly string[] {
  const waits = [...new Set(leftOut.map(({ waited }) => waited))];
  return waits.map((waited) => {
    const files = leftOut.filter((candidate) => candidate.waited === waited);
    const wait = waited === undefined ? "never run" : `waited for ${waited} landings`;
    return `  left out, ${wait}: ${files.map(nameWithSeconds).join(", ")}`;
  });
}

function nameWithSeconds({ file, seconds }: Candidate): string {
  return `${file.replace(/^test\//, "").replace(/\.test\.ts$/, "")} ${seconds}`;
}

import type { AttemptResult, Run, Runs } from "./attempt.ts";
import type { Exception } from "./exceptions.ts";

/** Attempt, with its results in all runs. */
export interface Row {
  readonly attempt: AttemptResult;
  readonly results: ReadonlyMap<Run, AttemptResult>;
  readonly exceptions: readonly Exception[];
}

/** Runs of a guest, in which every access beyond the guest's own must be refused. */
export const CONFINED: readonly Run[] = ["kvm", "tcg", "net", "label", "twin", "owner"];

/** Joins the runs to rows in the order of the attempts. */
export function joinRuns(runs: Runs, exceptions: readonly Exception[]): readonly Row[] {
  const all = new Map([...runs.values()].flatMap((results) => [...results]));
  return [...all].map(([id, attempt]) => ({
    attempt,
    results: new Map([...runs].flatMap(([run, results]) => withResult(run, results.get(id)))),
    exceptions: exceptions.filter((exception) => exception.id === id),
  }));
}

function withResult(run: Run, result: AttemptResult | undefined): [Run, AttemptResult][] {
  return result === undefined ? [] : [[run, result]];
}

/**
 * Reports each wrong result, a line each. None: isolation holds, and the control shows that it could have
 * failed.
 */
export function findFaults(rows: readonly Row[], runs: readonly Run[]): readonly string[] {
  return rows.flatMap((row) => runs.flatMap((run) => [...faultOf(row, run)]));
}

function* faultOf(row: Row, run: Run): Iterable<string> {
  const { id, what } = row.attempt;
  const verdict = row.results.get(run)?.verdict ?? "untried";
  const wanted = wantedVerdict(row, run);
  if (wanted === undefined) return;
  const exception = exceptionOf(row, run);
  if (exception === undefined && verdict !== wanted)
    yield `${run}: ${id} (${what}) is ${verdict}, not ${wanted}${reasonOf(row.results.get(run))}`;
  if (exception !== undefined && verdict === wanted)
    yield `${run}: ${id} is ${verdict} as it should be: take it off the list of exceptions`;
  if (exception !== undefined && verdict !== wanted && verdict !== exception.verdict)
    yield `${run}: ${id} (${what}) is ${verdict}, the list of exceptions says ${exception.verdict}`;
}

function reasonOf({ step, why }: Partial<AttemptResult> = {}): string {
  return why === undefined ? "" : `: ${step}, ${why}`;
}

/** Returns the exception. None excuses the access of a guest to a neighbour or a secret. */
function exceptionOf(row: Row, run: Run): Exception | undefined {
  const isWall = row.attempt.group === "neighbour" || row.attempt.group === "secrets";
  const known = row.exceptions.find((exception) => exception.runs.includes(run));
  return isWall && run !== "control" && known?.verdict === "done" ? undefined : known;
}

function wantedVerdict(row: Row, run: Run): "done" | "refused" | undefined {
  if (run === "control") return "done";
  if (!CONFINED.includes(run)) return undefined;
  return row.attempt.group === "own" ? "done" : "refused";
}

import { type AttemptResult, RUN_MEANS, type Run } from "./attempt.ts";
import { CONFINED, type Row } from "./judge.ts";

const TITLES: Readonly<Record<AttemptResult["group"], string>> = {
  neighbour: "What is a neighbour's",
  secrets: "The host's secrets",
  host: "The host",
  kernel: "The kernel",
  own: "What the guest needs (has to be done)",
  handed: "Descriptors that it was handed",
  limits: "Its folder, log, limits and reaper",
  monitor: "A QEMU that lies, and svirt",
};

const GROUPS = ["neighbour", "secrets", "host", "kernel", "own", "handed", "limits", "monitor"] as const;

/**
 * Formats the proof for readers: a table for each group, then remaining accesses, and failures of the
 * control.
 */
export function formatProof(rows: readonly Row[], runs: readonly Run[]): string {
  const legend = runs.map((run) => `  ${run.padEnd(8)} ${RUN_MEANS[run]}`);
  const groups = groupsOf(rows).flatMap((group) => formatGroup(group, rows, runs));
  return [
    ...legend,
    "",
    ...groups,
    ...formatAllowed(rows),
    ...formatControl(rows),
    formatTotal(rows, runs),
    "",
  ].join("\n");
}

function groupsOf(rows: readonly Row[]): AttemptResult["group"][] {
  const present = new Set(rows.map((row) => row.attempt.group));
  return GROUPS.filter((group) => present.has(group));
}

function formatGroup(group: AttemptResult["group"], rows: readonly Row[], runs: readonly Run[]): string[] {
  const own = rows.filter((row) => row.attempt.group === group);
  const width = Math.max(...own.map((row) => row.attempt.what.length), TITLES[group].length) + 2;
  const line = (first: string, cells: readonly string[]) =>
    [first.padEnd(width), ...cells.map((cell) => cell.padEnd(14))].join("").trimEnd();
  const body = own.map((row) =>
    line(
      row.attempt.what,
      runs.map((run) => formatCell(row.results.get(run))),
    ),
  );
  return [line(TITLES[group], runs), ...body, ""];
}

/** Returns `done`, or the errno of the refusal. */
function formatCell(result: AttemptResult | undefined): string {
  if (result === undefined) return "-";
  return result.verdict === "refused" ? (result.why ?? "refused") : result.verdict;
}

/** Lists accesses of confined guests beyond their needs. */
function formatAllowed(rows: readonly Row[]): string[] {
  const open = rows.filter((row) => row.attempt.group !== "own" && isDone(row, ...CONFINED));
  const lines = open.map((row) => {
    const where = CONFINED.filter((run) => isDone(row, run));
    return `  ${row.attempt.what} [${where.join(", ")}]: ${reasonOf(row, where) ?? "NOT EXPECTED"}`;
  });
  return ["Still allowed", ...(lines.length === 0 ? ["  nothing"] : lines), ""];
}

function formatControl(rows: readonly Row[]): string[] {
  const lines = rows
    .filter((row) => row.results.has("control") && !isDone(row, "control"))
    .map((row) => `  ${row.attempt.what}: ${reasonOf(row, ["control"]) ?? "NOT EXPECTED"}`);
  return ["Not possible even for the control", ...(lines.length === 0 ? ["  nothing"] : lines), ""];
}

function isDone(row: Row, ...runs: Run[]): boolean {
  return runs.some((run) => row.results.get(run)?.verdict === "done");
}

function reasonOf(row: Row, runs: readonly Run[]): string | undefined {
  return row.exceptions.find((exception) => exception.runs.some((run) => runs.includes(run)))?.reason;
}

function formatTotal(rows: readonly Row[], runs: readonly Run[]): string {
  const others = rows.filter((row) => row.attempt.group !== "own");
  const refused = (run: Run) => others.filter((row) => row.results.get(run)?.verdict === "refused").length;
  const counts = runs.map((run) => `${run} ${refused(run)}`).join(", ");
  return `${others.length} attempts that are not the guest's to make; refused: ${counts}`;
}

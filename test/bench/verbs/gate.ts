/**
 * Counts the instructions of svirt's commands, and fails if one takes over a tenth more than its last
 * figure. scripts/bench --gate runs it, in mount and process namespaces of its own.
 *
 * --record appends the figures that are new, better or worse; --counts leaves out the times beside other
 * tools.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { git } from "../../../scripts/gate/checkout.ts";
import {
  type Change,
  compareFigures,
  formatFigure,
  isNews,
  isSlower,
  listUnmeasured,
  type Measured,
  parseFigures,
} from "../../../scripts/gate/figures.ts";
import { formatTable } from "../../../src/cli/output/table.ts";
import { ratioRow } from "../timings.ts";
import { compareVerbs } from "./beside.ts";
import { countLife, HELLO, leastOf } from "./count.ts";
import { mountOwnFolders, run } from "./own-folders.ts";
import { countRelabelling } from "./relabel-counts.ts";

const TOOLS = Bun.env["BENCH_TOOLS"] ?? "";
const SVIRT = fileURLToPath(new URL("../../../dist/svirt", import.meta.url));
const FIGURES = fileURLToPath(new URL("figures.tsv", import.meta.url));
const WORK = "/srv/verbs";
/** Lives that are counted before a command is called slower: other load adds to what waits for QEMU. */
const MOST_LIVES = 4;
const MILLION = 1e6;

const { values } = parseArgs({
  options: {
    gate: { type: "boolean" },
    record: { type: "boolean", default: false },
    counts: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
  },
});

mountOwnFolders();
run(["mount", "-t", "tmpfs", "none", "/srv"]);
const figures = parseFigures(readFileSync(FIGURES, "utf8"));
const programs = { svirt: SVIRT, hello: `${TOOLS}/hello`, relabel: `${TOOLS}/relabel` };
const measured = measure();
const changes = compareFigures(figures, measured);
printChanges(changes);
if (values.record) record(changes);
else judge(changes);
if (!values.counts) await printTimes();

/** Counts one life, and others only while a command seems slower. */
function measure(): Measured {
  const relabelling = countRelabelling(programs, WORK);
  let life = countLife(programs, WORK);
  for (let lives = 1; ; lives += 1) {
    const reference = life.get(HELLO) ?? Number.NaN;
    const counts = new Map([...life, ...relabelling]);
    counts.delete(HELLO);
    const found = { counts, reference };
    if (lives === MOST_LIVES || !compareFigures(figures, found).some(isSlower)) return found;
    life = leastOf(life, countLife(programs, WORK));
  }
}

function printChanges(all: readonly Change[]): void {
  const rows = all.map(({ command, instructions, last, ratio }) => [
    command,
    (instructions / MILLION).toFixed(2),
    (instructions / measured.reference).toFixed(1),
    last === undefined ? "-" : ratio.toFixed(3),
    last?.commit ?? "-",
  ]);
  const header = ["Command", "Million instructions", "Hello worlds", "Over the last figure", "Of"];
  say(
    `Instructions, beside ${(measured.reference / MILLION).toFixed(2)} million of hello world\n${formatTable(header, rows)}`,
  );
}

function judge(all: readonly Change[]): void {
  const slower = all.filter(isSlower).flatMap(describeSlower);
  const faults = [
    ...slower,
    ...listUnmeasured(figures, measured).map((name) => `${name} has figures and is not measured`),
  ];
  const news = all.filter(isNews).length;
  if (news > 0) say(`${news} figures differ from the last ones; scripts/bench --gate --record records them`);
  for (const fault of faults) say(`(fail) ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}

function describeSlower({ command, last, ratio }: Change): readonly string[] {
  if (last === undefined) return [];
  const between = git("log", "--oneline", `${last.commit}..HEAD`) ?? [
    `this clone lacks ${last.commit}, so it cannot name them`,
  ];
  return [
    `${command} takes ${ratio.toFixed(2)} times the instructions of ${last.commit}. The commits since then:`,
    ...between.map((line) => `  ${line}`),
  ];
}

/** Appends figures. Throws if the checkout has changes: a figure names its commit. */
function record(all: readonly Change[]): void {
  const changed = git("status", "--porcelain", "--untracked-files=all");
  const [commit] = git("rev-parse", "--short=8", "HEAD") ?? [];
  if (changed === undefined || changed.length > 0 || commit === undefined)
    throw new Error("Cannot record figures: the checkout has changes that are not committed");
  const date = new Date().toISOString().slice(0, "2026-12-07".length);
  const lines = all
    .filter(isNews)
    .map(({ command, instructions }) =>
      formatFigure({ command, commit, date, instructions, reference: measured.reference }),
    );
  appendFileSync(FIGURES, lines.map((line) => `${line}\n`).join(""));
  say(`recorded: ${lines.length} figures`);
}

/**
 * Prints the times of the same commands beside what they replace. Times depend on the machine: none fails.
 */
async function printTimes(): Promise<void> {
  const ratios = await compareVerbs({
    tools: TOOLS,
    svirt: SVIRT,
    folder: WORK,
    rounds: Number(values.rounds),
  });
  const header = [
    "What",
    "svirt: median (least) ms",
    "over: median (least) ms",
    "Median",
    "Least",
    "CPU",
    "Aim",
  ];
  say(`Times of this machine\n${formatTable(header, ratios.map(ratioRow))}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

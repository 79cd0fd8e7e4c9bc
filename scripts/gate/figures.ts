/** Line of test/bench/verbs/figures.tsv: what a command cost at a commit. */
export interface Figure {
  readonly command: string;
  readonly commit: string;
  /** Day of the measurement: `2026-12-07`. */
  readonly date: string;
  /** Instructions of the command's main thread. */
  readonly instructions: number;
  /** Instructions of the reference, in the same run. */
  readonly reference: number;
}

/** Instructions by command, measured in one run with their reference. */
export interface Measured {
  readonly counts: ReadonlyMap<string, number>;
  readonly reference: number;
}

/** A command's cost now, and its last figure. */
export interface Change {
  readonly command: string;
  readonly instructions: number;
  /** Undefined for a command that was never measured. */
  readonly last: Figure | undefined;
  /** Cost in references now, over that of the last figure; 1 without a last figure. */
  readonly ratio: number;
}

/** Greatest ratio that passes. */
const MOST_RATIO = 1.1;
/** A ratio this far from 1 is recorded. */
const RECORDED = 0.02;
const [COMMIT, DATE, COUNT] = [/^[0-9a-f]{8,40}$/, /^\d{4}-\d\d-\d\d$/, /^[1-9]\d*$/] as const;

/** Parses the figures, oldest first. Lines with `#` are comments. Throws for a line of another form. */
export function parseFigures(text: string): readonly Figure[] {
  return text.split("\n").flatMap((line, at) => {
    if (line === "" || line.startsWith("#")) return [];
    const [command = "", commit = "", date = "", count = "", reference = "", ...rest] = line.split("\t");
    const isForm = [COMMIT.test(commit), DATE.test(date), COUNT.test(count), COUNT.test(reference)];
    if (command === "" || isForm.includes(false) || rest.length > 0)
      throw new Error(`Cannot read the figures: line ${at + 1} is ${line}`);
    return [{ command, commit, date, instructions: Number(count), reference: Number(reference) }];
  });
}

/** Formats a figure as a line, without a line break. */
export function formatFigure({ command, commit, date, instructions, reference }: Figure): string {
  return [command, commit, date, instructions, reference].join("\t");
}

/** Compares what was measured with the last figure of each command. */
export function compareFigures(
  figures: readonly Figure[],
  { counts, reference }: Measured,
): readonly Change[] {
  return [...counts].map(([command, instructions]) => {
    const last = figures.findLast((figure) => figure.command === command);
    const before = last === undefined ? instructions / reference : last.instructions / last.reference;
    return { command, instructions, last, ratio: instructions / reference / before };
  });
}

/** Reports whether a command has become slower than the gate allows. */
export function isSlower({ ratio }: Change): boolean {
  return ratio > MOST_RATIO;
}

/** Reports whether the figure is new, or differs from the last one by more than counts vary. */
export function isNews({ last, ratio }: Change): boolean {
  return last === undefined || Math.abs(ratio - 1) > RECORDED;
}

/** Returns the commands that have figures and were not measured: a renamed command would lose its limit. */
export function listUnmeasured(figures: readonly Figure[], { counts }: Measured): readonly string[] {
  return [...new Set(figures.map(({ command }) => command))].filter((command) => !counts.has(command));
}

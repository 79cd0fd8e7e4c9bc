/** Result of test/bench/interleave.c for one program. */
export interface Timing {
  readonly leastMs: number;
  readonly medianMs: number;
  readonly meanMs: number;
  /** Processor time of the program alone, which other load hardly changes. */
  readonly cpuMs: number;
  readonly rssKiB: number;
  readonly words: string;
}

/** Ratio to print, with its two timings and an optional target. */
export interface Ratio {
  readonly what: string;
  readonly ours: Timing;
  readonly over: Timing;
  readonly aim?: number;
}

/** Parses the output of interleave. Throws for any other text. */
export function parseTimings(text: string): Timing[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const match = /^(\S+) (\S+) (\S+) (\S+) (\d+) (.*)$/.exec(line);
      if (match === null) throw new Error(`Cannot read the measurement: ${line}`);
      const [, least, median, mean, cpu, rss, words = ""] = match;
      return {
        leastMs: Number(least),
        medianMs: Number(median),
        meanMs: Number(mean),
        cpuMs: Number(cpu),
        rssKiB: Number(rss),
        words,
      };
    });
}

/** Runs programs in turn on this machine by test/bench/interleave.c. Throws if one fails. */
export async function interleaveHere(
  tools: string,
  rounds: number,
  programs: readonly string[],
): Promise<Timing[]> {
  const run = Bun.spawn([`${tools}/interleave`, String(rounds), ...programs], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [text, errors] = await Promise.all([run.stdout.text(), run.stderr.text()]);
  if ((await run.exited) !== 0) throw new Error(`Cannot measure on this machine: ${errors.trim()}`);
  return parseTimings(text);
}

/** Returns the timing of one program. Throws if it is missing. */
export function timingAt(timings: readonly Timing[], index: number): Timing {
  const found = timings[index];
  if (found === undefined) throw new Error("Cannot measure: too few results");
  return found;
}

/**
 * Formats a table row: times as "median (least)", ratios of median, least and processor time, the verdict.
 */
export function ratioRow({ aim, ours, over, what }: Ratio): string[] {
  const median = ours.medianMs / over.medianMs;
  const least = ours.leastMs / over.leastMs;
  return [
    what,
    milliseconds(ours),
    milliseconds(over),
    median.toFixed(2),
    least.toFixed(2),
    (ours.cpuMs / over.cpuMs).toFixed(2),
    aim === undefined ? "-" : `${verdict(median, aim)} (${aim})`,
  ];
}

/** Says whether a value is within its target. */
export function verdict(value: number, aim: number): "within" | "over" {
  return value <= aim ? "within" : "over";
}

function milliseconds({ leastMs, medianMs }: Timing): string {
  return `${medianMs.toFixed(1)} (${leastMs.toFixed(1)})`;
}

/** What test/bench/interleave.c found for one program. */
export interface Timing {
  readonly leastMs: number;
  readonly medianMs: number;
  readonly meanMs: number;
  /** Its own processor time: what others do on the machine hardly changes it. */
  readonly cpuMs: number;
  readonly rssKiB: number;
  readonly words: string;
}

/** A ratio to be printed, with what it is made of and the aim, if there is one. */
export interface Ratio {
  readonly what: string;
  readonly ours: Timing;
  readonly over: Timing;
  readonly aim?: number;
}

/** Reads the lines of interleave. Throws for anything else. */
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

/** Runs programs in turn on this machine, as test/bench/interleave.c does. Throws when one of them fails. */
export async function interleaveHere(
  tools: string,
  rounds: number,
  programs: readonly string[],
): Promise<Timing[]> {
  const run = Bun.spawn([`${tools}/interleave`, String(rounds), ...programs], { stdout: "pipe" });
  const text = await run.stdout.text();
  if ((await run.exited) !== 0) throw new Error(`Cannot measure ${programs.join(", ")} on this machine`);
  return parseTimings(text);
}

/** The timing of one of the programs. Throws when there is none. */
export function timingAt(timings: readonly Timing[], index: number): Timing {
  const found = timings[index];
  if (found === undefined) throw new Error("Cannot measure: too few results");
  return found;
}

/** One row of the table: raw numbers as "median (least)", the ratios of medians, least and processor time, the verdict. */
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

/** Whether a number keeps its aim, in a word. */
export function verdict(value: number, aim: number): "within" | "over" {
  return value <= aim ? "within" : "over";
}

function milliseconds({ leastMs, medianMs }: Timing): string {
  return `${medianMs.toFixed(1)} (${leastMs.toFixed(1)})`;
}

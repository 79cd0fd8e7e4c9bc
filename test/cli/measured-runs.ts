import { afterAll } from "bun:test";

/** A program that is to run. */
export interface Run {
  readonly id: number;
  readonly words: readonly string[];
  /** A file; undefined: none. */
  readonly stdin: string | undefined;
  /** It is killed then. */
  readonly deadlineMs: number;
}

/** How it went. */
export interface Outcome {
  /** Not a number: a signal ended it, as at the deadline. */
  readonly exitCode: number | null;
  /** The beginning of what it printed. */
  readonly stdout: string;
  readonly stderr: string;
  /** The processor's time, not the clock's: another process may have had the processor. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** Runs a program and measures it. */
export type Measure = (
  words: readonly string[],
  how?: Partial<Pick<Run, "stdin" | "deadlineMs">>,
) => Promise<Outcome>;

const DEADLINE_MS = 60_000;

/** The programs of one test file are started by a process of its own, which ends with it. */
export function measuredRuns(): Measure {
  const waiting = new Map<number, (outcome: Outcome) => void>();
  let runs = 0;
  const runner = Bun.spawn([process.execPath, new URL("measured-runner.ts", import.meta.url).pathname], {
    stdio: ["ignore", "ignore", "inherit"],
    ipc({ id, ...outcome }: Outcome & { readonly id: number }) {
      waiting.get(id)?.(outcome);
      waiting.delete(id);
    },
  });
  afterAll(() => runner.kill());
  return (words, { deadlineMs = DEADLINE_MS, stdin } = {}) => {
    runs += 1;
    const id = runs;
    return new Promise((resolve) => {
      waiting.set(id, resolve);
      runner.send({ id, words, stdin, deadlineMs } satisfies Run);
    });
  };
}

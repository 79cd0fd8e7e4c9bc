import { afterAll } from "bun:test";

/** Program to run. */
export interface Run {
  readonly id: number;
  readonly words: readonly string[];
  /** Path of a file; undefined: no input. */
  readonly stdin: string | undefined;
  /** Time after which the program is killed. */
  readonly deadlineMs: number;
}

/** Result of a run. */
export interface Outcome {
  /** Null if a signal ended it, as at the deadline. */
  readonly exitCode: number | null;
  /** Beginning of standard output. */
  readonly stdout: string;
  readonly stderr: string;
  /** Processor time, not elapsed time: another process may have had the processor. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** Runs a program and measures it. */
export type Measure = (
  words: readonly string[],
  how?: Partial<Pick<Run, "stdin" | "deadlineMs">>,
) => Promise<Outcome>;

const DEADLINE_MS = 60_000;

/** Starts the process that runs the programs of one test file, and that ends with it. */
export function measuredRuns(): Measure {
  const waiting = new Map<number, (outcome: Outcome) => void>();
  let runs = 0;
  const runner = Bun.spawn([process.execPath, new URL("measured-runner.ts", import.meta.url).pathname], {
    stdio: ["ignore", "ignore", "inherit"],
    // An editor that changes nothing.
    env: { ...process.env, EDITOR: "true", VISUAL: "true" },
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

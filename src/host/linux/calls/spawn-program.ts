/** Environment of a program of the host: nothing of svirt's own. */
const ENVIRONMENT = { LC_ALL: "C", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };

/** Limits of a program, and its standard input. */
interface Call {
  readonly timeoutMs: number;
  readonly input?: string;
  /** Most bytes of its messages; without it they are unlimited. */
  readonly mostBytes?: number;
  /** Reads its output, too. */
  readonly readsOutput?: true;
}

/**
 * Runs a program of the host with these arguments, waits for it, and kills it after the time. Its standard error is read, its output
 * only if that is asked for. Throws the error of Bun.spawnSync() for a program that cannot be run.
 */
export function spawnProgram(
  words: readonly string[],
  { input, mostBytes, readsOutput, timeoutMs }: Call,
): {
  readonly exitCode: number | null;
  readonly errors: string;
  readonly output: string;
  readonly isLate: boolean;
} {
  const done = Bun.spawnSync([...words], {
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    ...(mostBytes === undefined ? {} : { maxBuffer: mostBytes }),
    stdin: input === undefined ? "ignore" : new TextEncoder().encode(input),
    stdout: readsOutput === true ? "pipe" : "ignore",
    stderr: "pipe",
    env: ENVIRONMENT,
  });
  const { exitCode, exitedDueToTimeout, stderr, stdout } = done;
  return {
    exitCode,
    errors: stderr.toString(),
    output: stdout?.toString() ?? "",
    isLate: exitedDueToTimeout === true,
  };
}

import type { Subprocess } from "bun";
import { runBeside } from "./program-turns.ts";

/** Environment of a program of the host: nothing of svirt's own. */
const ENVIRONMENT = { LC_ALL: "C", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
/**
 * Time without output after which an ended program's output is complete, although another process has it
 * open.
 */
const QUIET_MS = 5;

/**
 * A program that may take longer, such as mkfs, takes no turn: others, under a lock, would wait for it. It
 * leaves no processes.
 */
const LONG_MS = 60_000;
/** Time for a killed program to end. A program in an uninterruptible call of the kernel may not. */
const KILLED_MS = 5000;

/** Process numbers of long programs. They are no remains of another program. */
export const longPrograms = new Set<number>();

/** Limits of a program, and its standard input. */
interface Call {
  /** Absent: no limit. */
  readonly timeoutMs?: number;
  readonly input?: string;
  /** Most bytes of its messages; without it they are unlimited. */
  readonly mostBytes?: number;
  /** Reads its output, too. */
  readonly readsOutput?: true;
}

/** End of a program, with its texts written to pipes. */
interface End {
  /** Null if a signal has ended it. */
  readonly exitCode: number | null;
  readonly signalCode: string | number | null;
  readonly errors: string;
  readonly output: string;
  /** Exceeded limit, the reason of its kill. */
  readonly exceeded?: "time" | "output" | undefined;
}

/**
 * Runs a program of the host with these arguments, waits for it, and kills it after the time. Its standard
 * error is read, its output only on request. Throws the error of Bun.spawn() for a program unable to run.
 */
export async function spawnProgram(
  words: readonly string[],
  { input, readsOutput, ...limits }: Call,
): Promise<Omit<End, "exceeded"> & { readonly isLate: boolean }> {
  const isLong = (limits.timeoutMs ?? 0) > LONG_MS;
  const run = async () => {
    const program = Bun.spawn([...words], {
      stdin: input === undefined ? "ignore" : new TextEncoder().encode(input),
      stdout: readsOutput === true ? "pipe" : "ignore",
      stderr: "pipe",
      env: ENVIRONMENT,
    });
    if (isLong) longPrograms.add(program.pid);
    try {
      const { exceeded, ...end } = await endOf(program, limits);
      return { ...end, isLate: exceeded === "time" };
    } finally {
      longPrograms.delete(program.pid);
    }
  };
  return isLong ? await run() : await runBeside(run);
}

/**
 * Waits for a program, and kills it after the time or for too much output. Does not wait for processes that
 * it has left behind.
 */
export async function endOf(
  program: Subprocess,
  { mostBytes = Number.POSITIVE_INFINITY, timeoutMs }: Pick<Call, "mostBytes" | "timeoutMs">,
): Promise<End> {
  let exceeded: End["exceeded"];
  let late: Timer | undefined;
  const givenUp = Promise.withResolvers<void>();
  const kill = (limit: "time" | "output"): void => {
    exceeded ??= limit;
    program.kill("SIGKILL");
    late ??= setTimeout(() => givenUp.resolve(), KILLED_MS);
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => kill("time"), timeoutMs);
  const [output, errors] = [program.stdout, program.stderr].map(
    (stream) => new Written(stream, mostBytes, () => kill("output")),
  );
  try {
    await Promise.race([program.exited, givenUp.promise]);
  } finally {
    clearTimeout(timer);
    clearTimeout(late);
  }
  if (program.exitCode === null && program.signalCode === null) program.unref();
  const [read = "", messages = ""] = [await output?.finish(), await errors?.finish()];
  const { exitCode, signalCode } = program;
  return { exitCode, signalCode, errors: messages, output: read, exceeded };
}

/** Used methods of a stream's reader. */
interface Reader {
  read(): Promise<{ readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

/** Text written by a program to a pipe, read while it runs. */
class Written {
  readonly #reader: Reader | undefined;
  readonly #ended: Promise<true>;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(stream: Subprocess["stdout"], mostBytes: number, onExcess: () => void) {
    this.#reader = stream instanceof ReadableStream ? stream.getReader() : undefined;
    this.#ended = this.#read(mostBytes, onExcess).then(
      () => true,
      () => true,
    );
  }

  async #read(mostBytes: number, onExcess: () => void): Promise<void> {
    for (;;) {
      const next = await this.#reader?.read();
      if (next?.value === undefined) return;
      this.#bytes += next.value.length;
      if (this.#bytes <= mostBytes) this.#parts.push(next.value);
      else onExcess();
    }
  }

  /** Returns the text up to now, once the program has ended. */
  async finish(): Promise<string> {
    for (let seen = -1; seen !== this.#bytes; ) {
      seen = this.#bytes;
      if ((await Promise.race([this.#ended, Bun.sleep(QUIET_MS)])) === true) break;
    }
    await this.#reader?.cancel();
    return Buffer.concat(this.#parts).toString();
  }
}

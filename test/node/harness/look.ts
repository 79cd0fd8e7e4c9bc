import { fileURLToPath } from "node:url";

const NODE = fileURLToPath(new URL("../../../scripts/node", import.meta.url));
/** Time for the node to answer: longer than a busy one takes. */
const ANSWER_MS = 120_000;
const LAST_LINES = 12;

/**
 * Prints a line for each process that is not a kernel thread, then what a sleeping one waits for, and the
 * kernel's last words.
 */
const LOOK = `
  for process in /proc/[0-9]*; do
    words=$(tr '\\0\\n' '  ' <$process/cmdline 2>/dev/null | cut -c 1-150)
    [ -n "$words" ] || continue
    state=$(sed -n 's/^State:[[:space:]]*//p' $process/status 2>/dev/null)
    echo "\${process#/proc/} $state, $(cat $process/wchan 2>/dev/null): $words"
  done
  dmesg | tail -n ${LAST_LINES}`;

/** Work on the node. */
interface Limit {
  readonly what: string;
  /** Longest time in which the output of `progress` may stay the same. */
  readonly silenceMs: number;
  /** Command on the node that says how far the work is. */
  readonly progress: string;
}

/** Times that progress is looked at during the longest silence. */
const LOOKS = 20;

/**
 * Waits for the work as long as it makes progress. Otherwise throws what the node was doing then: its
 * progress, its processes, and the last lines of its kernel and its console. A test that only times out says
 * nothing of it.
 */
export async function whileMoving<Result>(
  { progress, silenceMs, what }: Limit,
  work: Promise<Result>,
): Promise<Result> {
  const result = work.then((value) => ({ value }));
  let last = "";
  let sinceMs = performance.now();
  for (;;) {
    const first = await Promise.race([result, Bun.sleep(silenceMs / LOOKS)]);
    if (first !== undefined) return first.value;
    const now = await say(["ssh", progress]);
    if (now !== last) [last, sinceMs] = [now, performance.now()];
    if (performance.now() - sinceMs > silenceMs)
      throw new Error(
        `${what} has made no progress for ${silenceMs / 1000} s\n${await lookAtNode(progress)}`,
      );
  }
}

async function lookAtNode(progress: string): Promise<string> {
  const processes = await say(["ssh", `${progress}${LOOK}`]);
  const log = (await say(["log"])).trimEnd().split("\n");
  return `its progress and processes:\n${processes}\nits console:\n${log.slice(-LAST_LINES).join("\n")}`;
}

async function say(words: readonly string[]): Promise<string> {
  const child = Bun.spawn([NODE, ...words], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: ANSWER_MS,
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return code === 0 ? out : `scripts/node ${words[0]}: exit ${code} ${child.signalCode ?? ""} ${err}${out}`;
}

/** Signals by which a user, a closed terminal or an administrator ends svirt. signal(7) */
const ENDING = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** Implements Host.deferSignals. */
export async function deferSignals<Result>(work: () => Promise<Result>): Promise<Result> {
  let first: (typeof ENDING)[number] | undefined;
  const listeners = ENDING.map((name) => {
    const note = (): void => {
      first ??= name;
    };
    process.on(name, note);
    return (): void => void process.off(name, note);
  });
  let isDone = false;
  try {
    const result = await work();
    isDone = true;
    return result;
  } finally {
    for (const remove of listeners) remove();
    // An error ends the command by itself, and must be reported. Another listener has heard the signal
    // already.
    if (isDone && first !== undefined && process.listenerCount(first) === 0) process.kill(process.pid, first);
  }
}

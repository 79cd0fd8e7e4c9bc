/** The current run of runAlone(). */
let alone: Promise<unknown> | undefined;
/** End of the last waiting or running run of runAlone(). */
let lastAlone: Promise<unknown> = Promise.resolve();
/** Current runs of runBeside(). */
const beside = new Set<Promise<unknown>>();

/**
 * Runs `run`, the start of a program, beside others of its kind, but not while a run of runAlone() takes the
 * new processes below svirt for its own. A waiting run delays none: the caller may hold a lock. `run` must
 * not call runAlone().
 */
export async function runBeside<Result>(run: () => Promise<Result>): Promise<Result> {
  while (alone !== undefined) await alone;
  const work = run();
  const end = work.catch(() => undefined);
  beside.add(end);
  try {
    return await work;
  } finally {
    beside.delete(end);
  }
}

/** Runs `run` while no other run starts a program or may leave processes. */
export async function runAlone<Result>(run: () => Promise<Result>): Promise<Result> {
  const turn = lastAlone.then(async () => {
    while (beside.size > 0) await Promise.all(beside);
    const work = run();
    const end = work.catch(() => undefined);
    alone = end;
    try {
      return await work;
    } finally {
      if (alone === end) alone = undefined;
    }
  });
  lastAlone = turn.catch(() => undefined);
  return await turn;
}

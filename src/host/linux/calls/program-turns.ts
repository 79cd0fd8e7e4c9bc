/** The run of runAlone() that is under way. */
let alone: Promise<unknown> | undefined;
/** End of the last run of runAlone() that waits or runs. */
let lastAlone: Promise<unknown> = Promise.resolve();
/** Runs of runBeside() that are under way. */
const beside = new Set<Promise<unknown>>();

/**
 * Runs `run`, which starts a program, beside others of its kind, but not while a run of runAlone() takes the new processes below svirt for
 * its own. One that only waits for its turn delays none: the caller may hold a lock. `run` must not call runAlone().
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

/** Runs `run` while no other run starts a program or has one that may leave processes. */
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

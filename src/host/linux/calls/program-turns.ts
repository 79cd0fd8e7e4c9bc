/** End of the last run of runAlone() that is waiting or runs. */
let lastAlone: Promise<unknown> = Promise.resolve();
/** Runs of runBeside() that are waiting or run. */
const beside = new Set<Promise<unknown>>();

/**
 * Runs `run`, which starts a program, beside others of its kind, but not while a run of runAlone() takes the new processes below svirt for
 * its own. Calls begin in their order. `run` must not call either function.
 */
export async function runBeside<Result>(run: () => Promise<Result>): Promise<Result> {
  const work = lastAlone.then(run);
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
  const work = Promise.all([lastAlone, ...beside]).then(run);
  lastAlone = work.catch(() => undefined);
  return await work;
}

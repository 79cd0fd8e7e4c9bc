import type { Holding } from "../../processes.ts";

/** Thrown if a process has more open than the limit of an inspection. */
export class TooMuchError extends Error {
  readonly pid: number;

  constructor(pid: number) {
    super(`Cannot inspect all open files of process ${pid}`);
    this.pid = pid;
  }
}

/**
 * Remaining budget of an inspection. A guest's limit on descriptors applies to each table, and its threads
 * may have separate tables.
 */
export class LookBudget {
  #left: number;

  constructor(most: number) {
    this.#left = most;
  }

  /** Subtracts a count. Throws TooMuchError if it exceeds the remaining budget. */
  spend(pid: number, count: number): void {
    this.refuse(pid, count);
    this.#left -= count;
  }

  /** Throws TooMuchError if a count exceeds the remaining budget. */
  refuse(pid: number, count: number): void {
    if (count > this.#left) throw new TooMuchError(pid);
  }
}

/** Returns the holdings of an inspection, or a holding for the exceeded limit. */
export function withinBudget(look: () => Holding[]): Holding[] {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof TooMuchError)) throw error;
    const by = "more open files, threads or mappings than svirt inspects";
    return [{ pid: error.pid, by, canWrite: true, isTooMuch: true }];
  }
}

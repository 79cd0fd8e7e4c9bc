import type { Holding } from "../../host.ts";

/** A process has more than is looked at. */
export class TooMuchError extends Error {
  readonly pid: number;

  constructor(pid: number) {
    super(`Cannot look at all that process ${pid} has open`);
    this.pid = pid;
  }
}

/** What is left to be looked at. Threads with tables of their own let a guest have its limit of descriptors once for each. */
export class LookBudget {
  #left: number;

  constructor(most: number) {
    this.#left = most;
  }

  /** Takes that many. Throws TooMuchError. */
  spend(pid: number, count: number): void {
    this.refuse(pid, count);
    this.#left -= count;
  }

  /** Throws TooMuchError if so many could not be taken. */
  refuse(pid: number, count: number): void {
    if (count > this.#left) throw new TooMuchError(pid);
  }
}

/** What that look finds, or the one holding that says that it would be too much. */
export function withinBudget(look: () => Holding[]): Holding[] {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof TooMuchError)) throw error;
    const by = "more open files, threads or mappings than svirt looks at";
    return [{ pid: error.pid, by, canWrite: true, isTooMuch: true }];
  }
}

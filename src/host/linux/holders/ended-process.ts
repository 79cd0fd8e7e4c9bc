import type { Holding } from "../../processes.ts";
import { TooMuchError } from "./look-budget.ts";

/**
 * Runs an inspection of a process. Reports an unidentified holding if the kernel hides a part, since the part
 * may be any file. Returns none for a process ended during the inspection.
 */
export function attempt(pid: number, look: () => Holding[]): Holding[] {
  try {
    return look();
  } catch (error) {
    if (isGone(error)) return [];
    if (error instanceof TooMuchError) throw error;
    return [{ pid, by: "descriptors or mappings that the kernel does not show", canWrite: true }];
  }
}

/** Returns no holding if the descriptor has been closed, or the thread has ended, since it was listed. */
export function orGone(look: () => Holding | never[]): Holding | never[] {
  try {
    return look();
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Reports whether an error of node:fs means that a process, a thread or a descriptor no longer exists. */
export function isGone(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === "ENOENT" || code === "ESRCH";
}

import type { Holding } from "../../host.ts";
import { TooMuchError } from "./look-budget.ts";

/** What the kernel does not show may be anything; a process that ends meanwhile has nothing. */
export function attempt(pid: number, look: () => Holding[]): Holding[] {
  try {
    return look();
  } catch (error) {
    if (isGone(error)) return [];
    if (error instanceof TooMuchError) throw error;
    return [{ pid, by: "descriptors or mappings that the kernel does not show", canWrite: true }];
  }
}

/** Nothing of a descriptor that was closed, or a thread that ended, meanwhile. */
export function orGone(look: () => Holding | never[]): Holding | never[] {
  try {
    return look();
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Whether that error of node:fs says that a process, a thread or a descriptor is no more. */
export function isGone(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === "ENOENT" || code === "ESRCH";
}

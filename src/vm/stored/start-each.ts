import { asSvirtError, type SvirtError } from "../../errors.ts";

/** Names of what was started, and the errors of the others. */
export interface Autostarted {
  readonly names: readonly string[];
  readonly errors: readonly SvirtError[];
}

/** Starts each of these, unless it is already started. Never throws for a single one. */
export async function startEach(
  marked: readonly string[],
  start: (name: string) => Promise<{ readonly did: boolean }>,
): Promise<Autostarted> {
  const names: string[] = [];
  const errors: SvirtError[] = [];
  for (const name of marked) {
    try {
      const { did } = await start(name);
      if (did) names.push(name);
    } catch (error) {
      errors.push(asSvirtError(error));
    }
  }
  return { names, errors };
}

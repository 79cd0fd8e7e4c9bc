import { asSvirtError, type SvirtError } from "../errors.ts";

/** Results for several files, in their order: the completed results, and an error for each failure. */
export interface EachPath<Result> {
  readonly done: readonly Result[];
  readonly errors: readonly SvirtError[];
}

/** Calls `act` for each path. A path that fails does not stop the others. */
export function forEachPath<Result>(
  paths: readonly string[],
  act: (path: string) => Result,
): EachPath<Result> {
  const done: Result[] = [];
  const errors: SvirtError[] = [];
  for (const path of paths) {
    try {
      done.push(act(path));
    } catch (error) {
      errors.push(asSvirtError(error));
    }
  }
  return { done, errors };
}

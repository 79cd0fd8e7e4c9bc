import { asSvirtError, type SvirtError } from "../errors.ts";

/** Results for several files, in their order: the completed results, and an error for each failure. */
export interface EachPath<Result> {
  readonly done: readonly Result[];
  readonly errors: readonly SvirtError[];
}

/** Calls `act` for each path, with its place in the list. A path that fails does not stop the others. */
export function forEachPath<Result>(
  paths: readonly string[],
  act: (path: string, at: number) => Result,
): EachPath<Result> {
  const done: Result[] = [];
  const errors: SvirtError[] = [];
  for (const [at, path] of paths.entries()) {
    try {
      done.push(act(path, at));
    } catch (error) {
      errors.push(asSvirtError(error));
    }
  }
  return { done, errors };
}

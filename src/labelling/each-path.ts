import { asSvirtError, type SvirtError } from "../errors.ts";

/** What became of several files, in their order: what was done, and an error for each that could not be. */
export interface EachPath<Result> {
  readonly done: readonly Result[];
  readonly errors: readonly SvirtError[];
}

/** Does the same for each path: what one cannot have leaves the others. */
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

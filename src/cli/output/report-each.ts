import type { EachPath } from "../../labelling/for-each-path.ts";
import type { Call } from "../command.ts";
import { warnOf } from "./warn-of.ts";

/** Exit code of a command with a part of its work done. */
export const PARTLY = 7;

/** Prints results and errors. Returns the exit code: that of the first error if there are no results. */
export function reportEach<Result>(
  call: Call,
  { done, errors }: EachPath<Result>,
  print: (done: readonly Result[]) => void,
): number | undefined {
  if (done.length > 0) print(done);
  warnOf(call, "error", errors);
  if (done.length === 0) return errors[0]?.exitCode;
  return errors.length === 0 ? undefined : PARTLY;
}

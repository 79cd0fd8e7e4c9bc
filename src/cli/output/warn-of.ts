import { listErrors, type SvirtError } from "../../errors.ts";
import type { Call } from "../command.ts";
import { oneLine } from "./one-line.ts";

/** Tells of errors that do not end the command: what is the case and what to do, a line each. */
export function warnOf(
  { output }: Pick<Call, "output">,
  word: "error" | "warning",
  errors: readonly SvirtError[],
): void {
  for (const { message, remedy } of errors.flatMap(listErrors))
    output.warn(`${word}: ${oneLine(message)}\nremedy: ${oneLine(remedy)}\n`);
}

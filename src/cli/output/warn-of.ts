import { listErrors, type SvirtError } from "../../errors.ts";
import type { Call } from "../command.ts";
import { oneLine } from "./one-line.ts";

/** Prints errors that do not end the command: message and remedy, each on a separate line. */
export function warnOf(
  { output }: Pick<Call, "output">,
  word: "error" | "warning",
  errors: readonly SvirtError[],
): void {
  for (const { message, remedy } of errors.flatMap(listErrors))
    output.warn(`${word}: ${oneLine(message)}\nremedy: ${oneLine(remedy)}\n`);
}

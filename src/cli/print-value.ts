import { type Call, printJson } from "./command.ts";
import { oneLine } from "./output/one-line.ts";

/**
 * Prints a value, such as a name, as JSON with `--json`, else on a line with an empty line after it, as virsh
 * does.
 */
export function printValue(call: Call, value: string | number): void {
  if (call.options.has("json")) printJson(call, value);
  else call.output.print(`${oneLine(String(value))}\n\n`);
}

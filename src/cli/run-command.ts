import { asSvirtError } from "../errors.ts";
import { callCommand, type FoundCommand, type Invocation } from "./call-command.ts";
import { command as list } from "./commands/query/list.ts";
import { warnOf } from "./output/warn-of.ts";

/** Runs one command line and returns the exit code. Never throws. */
export async function runCommandLine(invocation: Invocation): Promise<number> {
  try {
    const [name, ...words] = invocation.words;
    // Building the table of all commands would take longer than running `list`, which programs call repeatedly.
    if (name === list.spec.name) return await callCommand({ command: list, runChecked }, invocation, words);
    const { dispatch } = await import("./dispatch.ts");
    return await dispatch(invocation);
  } catch (thrown) {
    const error = asSvirtError(thrown);
    warnOf(invocation, "error", [error]);
    return error.exitCode;
  }
}

const runChecked: FoundCommand["runChecked"] = async (invocation, check) => {
  const { dispatchChecked } = await import("./dispatch.ts");
  return await dispatchChecked(invocation, check);
};

import { asSvirtError } from "../errors.ts";
import { callCommand, type FoundCommand, type Invocation } from "./call-command.ts";
import type { Command } from "./command.ts";
import { command as list } from "./commands/query/list.ts";
import { warnOf } from "./output/warn-of.ts";
import { forTerminal } from "./terminal-text.ts";

/** Runs a command line and returns the exit code. Never throws. */
export async function runCommandLine(asked: Invocation): Promise<number> {
  const invocation = { ...asked, output: forTerminal(asked.output) };
  try {
    const [name, ...words] = invocation.words;
    const command = await findQuick(name);
    if (command !== undefined) return await callCommand({ command, runChecked }, invocation, words);
    const { dispatch } = await import("./dispatch.ts");
    return await dispatch(invocation);
  } catch (thrown) {
    const error = asSvirtError(thrown);
    warnOf(invocation, "error", [error]);
    return error.exitCode;
  }
}

/**
 * Returns a command that programs call repeatedly, over SSH too; undefined for any other. Building the table
 * of all commands would take longer than running `list`.
 */
async function findQuick(name: string | undefined): Promise<Command | undefined> {
  switch (name) {
    case list.spec.name:
      return list;
    case "shell":
      return (await import("./commands/shell/shell.ts")).command;
    case "virt-ssh-helper":
      return (await import("./commands/shell/virt-ssh-helper.ts")).command;
    default:
      return undefined;
  }
}

const runChecked: FoundCommand["runChecked"] = async (invocation, check) => {
  const [name, ...words] = invocation.words;
  const command = await findQuick(name);
  if (command !== undefined) {
    check(command.spec, words);
    return await callCommand({ command, runChecked }, invocation, words);
  }
  const { dispatchChecked } = await import("./dispatch.ts");
  return await dispatchChecked(invocation, check);
};

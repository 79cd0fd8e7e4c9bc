import type { Instance } from "../state/instance.ts";
import { parseArguments } from "./arguments/parse-arguments.ts";
import type { Call, CheckCommand, Command, CommandSpec, Output } from "./command.ts";
import { recoverFirst } from "./recover-first.ts";

/** Input from main.ts: the arguments after the program's name, and the objects on which they act. */
export interface Invocation {
  readonly words: readonly string[];
  readonly instance: Instance;
  readonly output: Output;
  readonly version: string;
}

/** A found command, and the function for another command line, if the check allows it. */
export interface FoundCommand {
  readonly command: Command;
  runChecked(invocation: Invocation, check: CheckCommand): Promise<number>;
}

/** Runs a command with the arguments after its name, and returns the exit code. Throws as commands do. */
export async function callCommand(
  { command, runChecked }: FoundCommand,
  invocation: Invocation,
  words: readonly string[],
): Promise<number> {
  const parsed = parseArguments(command.spec, words);
  const { instance, output, version } = invocation;
  if (parsed.options.has("help")) {
    const { formatHelp } = await import("./help.ts");
    output.print(formatHelp(command.spec));
    return 0;
  }
  const call: Omit<Call, "running"> = {
    ...parsed,
    instance,
    output,
    version,
    carryOut: async (others, check) =>
      await runChecked({ ...invocation, instance: { ...instance, isForKey: true }, words: others }, check),
    async findCommand(name) {
      const { COMMANDS } = await import("./commands.ts");
      return (await COMMANDS.get(name)?.())?.command;
    },
  };
  const running = await recover(command.spec, call);
  return (await command.run({ ...call, running })) ?? 0;
}

/** Recovers as the command says, or the command in its arguments. Returns the running guests. */
async function recover(spec: CommandSpec, call: Omit<Call, "running">): Promise<Call["running"]> {
  const inner = spec.inner?.(call);
  const about = inner === undefined ? undefined : await call.findCommand(inner.name);
  if (inner === undefined || about === undefined) return await recoverFirst(spec, call);
  return await recoverFirst(about.spec, { ...call, ...parseArguments(about.spec, inner.words) });
}

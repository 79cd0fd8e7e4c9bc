import { SvirtError } from "../errors.ts";
import { parseArguments } from "./arguments/parse-arguments.ts";
import { callCommand, type Invocation } from "./call-command.ts";
import type { CheckCommand, CommandSpec } from "./command.ts";
import { COMMANDS } from "./commands.ts";

/**
 * Finds the command of a command line and runs it, or prints help. Returns the exit code. Throws as commands
 * do.
 */
export async function dispatch(invocation: Invocation): Promise<number> {
  const { name, words } = splitName(invocation.words);
  if (HELP_WORDS.includes(name)) return await printOverview(invocation, words);
  if (isFamily(name) && words.some((word) => word === "--help" || word === "-h"))
    return await printOverview(invocation, [name]);
  const { command } = await find(name === "--version" ? "version" : name)();
  return await callCommand({ command, runChecked: dispatchChecked }, invocation, words);
}

/** Runs a command line that the check allows. Help and version need no check. */
export async function dispatchChecked(invocation: Invocation, check: CheckCommand): Promise<number> {
  const { name, words } = splitName(invocation.words);
  if (!HELP_WORDS.includes(name) && name !== "--version") await checkBoth(name, words, check);
  return await dispatch(invocation);
}

/** Checks a command, and the command in its arguments: `svirt plan` would run the editor of `edit`. */
async function checkBoth(name: string, words: readonly string[], check: CheckCommand): Promise<void> {
  const { spec } = (await find(name)()).command;
  check(spec, words);
  const inner = spec.inner?.(parseArguments(spec, words));
  if (inner !== undefined) check((await find(inner.name)()).command.spec, inner.words);
}

const HELP_WORDS: readonly string[] = ["help", "--help", "-h"];

async function printOverview(invocation: Invocation, words: readonly string[]): Promise<number> {
  const { formatFamily, formatHelp, formatOverview } = await import("./help.ts");
  if (words.length === 0) {
    invocation.output.print(formatOverview(await specsOf([...COMMANDS.keys()])));
    return 0;
  }
  const { name } = splitName(words);
  if (isFamily(name)) {
    invocation.output.print(formatFamily(await specsOf(membersOf(name))));
    return 0;
  }
  invocation.output.print(formatHelp((await find(name)()).command.spec));
  return 0;
}

async function specsOf(names: readonly string[]): Promise<CommandSpec[]> {
  return await Promise.all(names.map(async (name) => (await find(name)()).command.spec));
}

/** Splits the name of a command from its arguments. A name has up to two parts. */
function splitName(all: readonly string[]): { readonly name: string; readonly words: readonly string[] } {
  const [first = "help", second, ...words] = all;
  const both = `${first} ${second}`;
  if (second !== undefined && COMMANDS.has(both)) return { name: both, words };
  return { name: first, words: all.slice(1) };
}

function find(name: string): NonNullable<ReturnType<typeof COMMANDS.get>> {
  const load = COMMANDS.get(name);
  if (load !== undefined) return load;
  const longer = membersOf(name);
  throw new SvirtError(`unknown command: '${name}'`, {
    kind: "usage",
    remedy:
      longer.length === 0 ? "See: svirt help" : `Write a whole command: svirt ${longer.join(", or svirt ")}`,
  });
}

/** Returns whether a name is the first part of several commands and no command itself: `label`. */
function isFamily(name: string): boolean {
  return !COMMANDS.has(name) && membersOf(name).length > 0;
}

function membersOf(name: string): string[] {
  return [...COMMANDS.keys()].filter((known) => known.startsWith(`${name} `));
}

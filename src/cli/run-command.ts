import { asSvirtError, SvirtError } from "../errors.ts";
import type { Node } from "../vm/node.ts";
import type { Output } from "./command.ts";
import { COMMANDS } from "./commands.ts";

/** What main.ts gives: the words after the program's name, and what they act on. */
export interface Invocation {
  readonly words: readonly string[];
  readonly node: Node;
  readonly output: Output;
  readonly version: string;
}

/** Carries out one command line and gives the exit code. Never throws. */
export async function runCommandLine(invocation: Invocation): Promise<number> {
  try {
    return await dispatch(invocation);
  } catch (thrown) {
    const error = asSvirtError(thrown);
    invocation.output.warn(`error: ${oneLine(error.message)}\n`);
    if (error.remedy !== undefined) invocation.output.warn(`remedy: ${oneLine(error.remedy)}\n`);
    return error.exitCode;
  }
}

async function dispatch(invocation: Invocation): Promise<number> {
  const [name = "help", ...words] = invocation.words;
  if (HELP_WORDS.has(name)) return await printOverview(invocation, words);
  const load = COMMANDS.get(name === "--version" ? "version" : name);
  if (load === undefined) {
    throw new SvirtError(`unknown command: '${name}'`, { kind: "usage", remedy: "See: svirt help" });
  }
  const { command } = await load();
  const { parseArguments } = await import("./parse-arguments.ts");
  const parsed = parseArguments(command.spec, words);
  if (parsed.options.has("help")) return await printOverview(invocation, [name]);
  const { node, output, version } = invocation;
  return (await command.run({ ...parsed, node, output, version })) ?? 0;
}

const HELP_WORDS = new Set(["help", "--help", "-h"]);

async function printOverview(invocation: Invocation, words: readonly string[]): Promise<number> {
  const { formatHelp, formatOverview } = await import("./help.ts");
  const [name] = words;
  if (name === undefined) {
    const commands = await Promise.all(
      [...COMMANDS.values()].map(async (load) => (await load()).command.spec),
    );
    invocation.output.print(formatOverview(commands));
    return 0;
  }
  const load = COMMANDS.get(name);
  if (load === undefined) {
    throw new SvirtError(`unknown command: '${name}'`, { kind: "usage", remedy: "See: svirt help" });
  }
  invocation.output.print(formatHelp((await load()).command.spec));
  return 0;
}

/** An error is one line, whatever words came from outside. */
function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ").replace(/\p{Cc}/gu, "?");
}

import { SvirtError } from "../errors.ts";
import type { CommandSpec, Operand, Option } from "./command.ts";

/** What stands on a command line after the command's name. */
export interface ParsedArguments {
  readonly operands: ReadonlyMap<string, string>;
  readonly rest: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

const HELP: Option = { name: "help", summary: "print this help" };

/**
 * Reads a command's arguments as virsh does: operands by place or by name (`--domain vm1`), options in any place, `--`
 * ends them. Throws "usage" in virsh's words.
 */
export function parseArguments(spec: CommandSpec, words: readonly string[]): ParsedArguments {
  const operands = new Map<string, string>();
  const options = new Map<string, string>();
  const placed: string[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === "--") {
      placed.push(...queue.splice(0));
    } else if (word.startsWith("--")) {
      const [name, given] = splitOption(word);
      const target = spec.operands.some((known) => known.name === name) ? operands : options;
      target.set(name, readValue(spec, { name, given }, queue));
    } else {
      placed.push(word);
      // What follows the first word of the rest belongs to it, dashes and all.
      if (spec.operands[placed.length - 1]?.isRest === true) placed.push(...queue.splice(0));
    }
  }
  const rest = placeOperands(spec, placed, operands);
  if (!options.has("help")) requireOperands(spec, { operands, rest });
  return { operands, rest, options };
}

/** The options a command takes, with the one that all take. */
export function optionsOf(spec: CommandSpec): readonly Option[] {
  return [...spec.options, HELP];
}

function splitOption(word: string): [name: string, value: string | undefined] {
  const at = word.indexOf("=");
  return at === -1 ? [word.slice(2), undefined] : [word.slice(2, at), word.slice(at + 1)];
}

function readValue(
  spec: CommandSpec,
  word: { name: string; given: string | undefined },
  queue: string[],
): string {
  const option = optionsOf(spec).find((known) => known.name === word.name);
  const isOperand = spec.operands.some((known) => known.name === word.name);
  if (option === undefined && !isOperand) {
    throw usage(spec, `command '${spec.name}' doesn't support option --${word.name}`);
  }
  const takesValue = isOperand || option?.value !== undefined;
  if (!takesValue && word.given !== undefined) throw usage(spec, `option --${word.name} takes no value`);
  if (!takesValue) return "";
  const value = word.given ?? queue.shift();
  if (value === undefined)
    throw usage(spec, `expected syntax: --${word.name} <${option?.value ?? word.name}>`);
  return value;
}

/** Gives the words that are left for an operand that takes the rest. */
function placeOperands(
  spec: CommandSpec,
  placed: string[],
  operands: Map<string, string>,
): readonly string[] {
  for (const known of spec.operands) {
    if (known.isRest === true) return placed.splice(0);
    if (operands.has(known.name)) continue;
    const word = placed.shift();
    if (word !== undefined) operands.set(known.name, word);
  }
  if (placed.length === 0) return [];
  throw usage(spec, `unexpected data '${placed[0]}'`);
}

function requireOperands(spec: CommandSpec, parsed: Pick<ParsedArguments, "operands" | "rest">): void {
  const isThere = (known: Operand): boolean =>
    known.isRest === true ? parsed.rest.length > 0 : (parsed.operands.get(known.name) ?? "") !== "";
  const missing = spec.operands.find((known) => known.isOptional !== true && !isThere(known));
  if (missing !== undefined) throw usage(spec, `command '${spec.name}' requires <${missing.name}> option`);
}

function usage(spec: CommandSpec, message: string): SvirtError {
  return new SvirtError(message, { kind: "usage", remedy: `See: svirt ${spec.name} --help` });
}

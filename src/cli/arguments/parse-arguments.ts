import { SvirtError } from "../../errors.ts";
import type { CommandSpec, Operand, Option, ParsedArguments } from "../command.ts";

const HELP: Option = { name: "help", summary: "print this help" };

/**
 * Parses a command's arguments as virsh does. Operands are given by position or by name (`--domain vm1`),
 * options in any place; `--` ends options. Throws "usage" with virsh's message.
 */
export function parseArguments(spec: CommandSpec, words: readonly string[]): ParsedArguments {
  const operands = new Map<string, string>();
  const options = new Map<string, string>();
  const placed: string[] = [];
  const listed: string[] = [];
  const queue = [...words];
  const keep = (name: string, value: string): void => {
    if (isOperand(spec, name, isList)) listed.push(value);
    else (isOperand(spec, name) ? operands : options).set(name, value);
  };
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    const long = longForm(spec, word);
    if (long.startsWith("--") && long !== "--") {
      keep(...readNamed(spec, long, queue));
    } else {
      placed.push(...(word === "--" ? queue.splice(0) : [word]));
      if (isCommandAt(spec, placed, queue)) listed.push(...queue.splice(0));
    }
  }
  const rest = [...listed, ...placeOperands(spec, placed, operands)];
  if (!options.has("help")) requireOperands(spec, { operands, rest });
  return { operands, rest, options };
}

/** Reports whether the last of these arguments is the name of another command, to which the rest belongs. */
function isCommandAt(spec: CommandSpec, placed: readonly string[], rest: readonly string[]): boolean {
  const operand = spec.operands[placed.length - 1];
  return operand?.isCommand?.(placed.at(-1) ?? "", rest) === true;
}

/** Returns whether an operand accepts all remaining arguments. */
export function isList({ isRepeated }: Operand): boolean {
  return isRepeated === true;
}

/** Lists the options of a command, with `--help`. */
export function optionsOf(spec: CommandSpec): readonly Option[] {
  return [...spec.options, HELP];
}

/** Replaces `-n` with `--dry-run`; returns any other argument unchanged. */
function longForm(spec: CommandSpec, word: string): string {
  const option = spec.options.find(({ short }) => short !== undefined && word === `-${short}`);
  return option === undefined ? word : `--${option.name}`;
}

/** Parses `--all`, `--timeout 5` or `--timeout=5`. */
function readNamed(spec: CommandSpec, word: string, queue: string[]): [name: string, value: string] {
  const at = word.indexOf("=");
  const name = at === -1 ? word.slice(2) : word.slice(2, at);
  const given = at === -1 ? undefined : word.slice(at + 1);
  const option = optionsOf(spec).find((known) => known.name === name);
  if (option === undefined && !isOperand(spec, name)) {
    throw usage(spec, `command '${spec.name}' doesn't support option --${name}`);
  }
  if (!isOperand(spec, name) && option?.value === undefined) {
    if (given !== undefined) throw usage(spec, `option --${name} takes no value`);
    return [name, ""];
  }
  const value = given ?? queue.shift();
  if (value === undefined) throw usage(spec, `expected syntax: --${name} <${option?.value ?? name}>`);
  return [name, value];
}

function isOperand(
  spec: CommandSpec,
  name: string,
  isOfKind: (operand: Operand) => boolean = () => true,
): boolean {
  return spec.operands.some((known) => known.name === name && isOfKind(known));
}

/**
 * Assigns arguments to operands by position. Returns the arguments of an operand for all remaining arguments,
 * except the last ones of operands after it.
 */
function placeOperands(
  spec: CommandSpec,
  placed: string[],
  operands: Map<string, string>,
): readonly string[] {
  let listed: readonly string[] = [];
  for (const [at, known] of spec.operands.entries()) {
    if (isList(known)) {
      const after = spec.operands.slice(at + 1).filter(({ name }) => !operands.has(name));
      listed = placed.splice(0, Math.max(0, placed.length - after.length));
      continue;
    }
    if (operands.has(known.name)) continue;
    const word = placed.shift();
    if (word !== undefined) operands.set(known.name, word);
  }
  if (placed.length === 0) return listed;
  throw usage(spec, `unexpected data '${placed[0]}'`);
}

function requireOperands(spec: CommandSpec, parsed: Pick<ParsedArguments, "operands" | "rest">): void {
  for (const known of spec.operands) {
    const isThere = isList(known) ? parsed.rest.length > 0 : (parsed.operands.get(known.name) ?? "") !== "";
    if (isThere || known.isOptional === true) continue;
    throw usage(spec, `command '${spec.name}' requires <${known.name}> option`);
  }
}

function usage(spec: CommandSpec, message: string): SvirtError {
  return new SvirtError(message, { kind: "usage", remedy: `See: svirt ${spec.name} --help` });
}

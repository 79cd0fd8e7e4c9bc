import { isList, optionsOf } from "./arguments/parse-arguments.ts";
import type { CommandSpec, Option } from "./command.ts";

const WIDTH = 26;

/** Formats `svirt COMMAND --help`. */
export function formatHelp(spec: CommandSpec): string {
  const operands = spec.operands.map(({ name, summary }) => line(`<${name}>`, summary));
  const options = optionsOf(spec).map((option) => line(formatOption(option), option.summary));
  return [
    `  NAME\n    ${spec.name} - ${spec.summary}`,
    `  SYNOPSIS\n    svirt ${formatSynopsis(spec)}`,
    ...(spec.details === undefined ? [] : [`  DESCRIPTION\n${indent(spec.details)}`]),
    `  OPTIONS\n${[...operands, ...options].join("\n")}`,
    "",
  ].join("\n\n");
}

/** Formats `list [--all] [--json]`. */
export function formatSynopsis(spec: CommandSpec): string {
  const operands = spec.operands.map((operand) => {
    const word = isList(operand) ? `<${operand.name}>...` : `<${operand.name}>`;
    return operand.isOptional === true ? `[${word}]` : word;
  });
  const options = spec.options.map(({ name, value }) =>
    value === undefined ? `[--${name}]` : `[--${name} <${value}>]`,
  );
  return [spec.name, ...operands, ...options].join(" ");
}

/** Formats `--timeout <SECONDS>`, or `-n, --dry-run`. */
export function formatOption({ name, short, value }: Option): string {
  const long = value === undefined ? `--${name}` : `--${name} <${value}>`;
  return short === undefined ? long : `-${short}, ${long}`;
}

/** Formats `svirt help`: every command with its summary. */
export function formatOverview(specs: readonly CommandSpec[]): string {
  return [
    "svirt confines every QEMU/KVM guest of this node with SELinux, each one separately.",
    "",
    "  svirt COMMAND [ARGUMENTS]      svirt COMMAND --help",
    "",
    ...specs.map(({ name, summary }) => line(name, summary)),
    "",
    "  svirt(8) lists the missing commands of virsh.",
    "",
  ].join("\n");
}

/** Formats the help of commands whose names begin with the same word, such as `label`. */
export function formatFamily(specs: readonly CommandSpec[]): string {
  return ["  svirt COMMAND --help", "", ...specs.map(({ name, summary }) => line(name, summary)), ""].join(
    "\n",
  );
}

function line(word: string, summary: string): string {
  return `    ${word.padEnd(WIDTH)} ${summary}`;
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((each) => (each === "" ? "" : `    ${each}`))
    .join("\n");
}

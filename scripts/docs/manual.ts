import type { CommandSpec } from "../../src/cli/command.ts";
import { formatOption, formatSynopsis } from "../../src/cli/help.ts";
import { listMissing } from "./virsh-commands.ts";
import { EXIT_CODES, FILES, MISSING_INTRO } from "./words.ts";

const INTRODUCTION = `svirt starts QEMU/KVM guests, each confined by SELinux in a context with two categories of its own, so that a guest
that has taken over its QEMU reaches no other guest's disk and no secret of the host. It labels what the guest uses and
puts every label back when the guest ends, whichever way it ends. There is no daemon: each call does its work and exits.`;

/** Formats svirt(8) with the man macros. man(7) */
export function formatManual(specs: readonly CommandSpec[]): string {
  return [
    '.\\" Made by scripts/write-docs.ts from src/cli/commands/; do not edit.',
    '.TH SVIRT 8 "" svirt "System administration"',
    ".SH NAME",
    "svirt \\- confined QEMU/KVM guests, each in its own SELinux context",
    ".SH SYNOPSIS",
    ".B svirt",
    ".I COMMAND",
    "[\\fIARGUMENTS\\fR]",
    ".SH DESCRIPTION",
    roff(INTRODUCTION),
    ".SH COMMANDS",
    ...specs.flatMap(formatCommand),
    ".SH COMMANDS OF VIRSH THAT ARE MISSING",
    roff(MISSING_INTRO),
    ".PP",
    roff(listMissing(specs.map(({ name }) => name)).join(", ")),
    ".SH EXIT STATUS",
    ...EXIT_CODES.flatMap(([code, meaning]) => tagged(`\\fB${code}\\fR`, meaning)),
    ".SH FILES",
    ...FILES.flatMap(([path, what]) => tagged(`\\fI${roff(path)}\\fR`, what)),
    ".SH SEE ALSO",
    ".BR virsh (1),",
    ".BR qemu\\-system\\-x86_64 (1),",
    ".BR selinux (8)",
    "",
  ].join("\n");
}

function formatCommand(spec: CommandSpec): string[] {
  const operands = spec.operands.flatMap(({ name, summary }) => tagged(`<${roff(name)}>`, summary));
  const options = spec.options.flatMap((option) =>
    tagged(`\\fB${roff(formatOption(option))}\\fR`, option.summary),
  );
  return [
    `.SS ${roff(formatSynopsis(spec))}`,
    roff(spec.summary),
    ...(spec.details === undefined ? [] : [".PP", roff(spec.details)]),
    ...operands,
    ...options,
  ];
}

/** Formats a tagged paragraph; `tag` is roff already. */
function tagged(tag: string, text: string): string[] {
  return [".TP", tag, roff(text)];
}

/** Escapes text. A dot or an apostrophe at the beginning of a line would be a request. */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1");
}

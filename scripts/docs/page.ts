import type { CommandSpec } from "../../src/cli/command.ts";
import { formatOption, formatSynopsis } from "../../src/cli/help.ts";
import { formatContents } from "./command-table.ts";
import { listLacking, listMissing } from "./virsh-commands.ts";
import { EXIT_CODES, LACKING_INTRO, MISSING_INTRO } from "./words.ts";

/** Formats docs/commands.md. */
export function formatPage(specs: readonly CommandSpec[]): string {
  return [
    "# Commands",
    "",
    "Made by `bun scripts/write-docs.ts` from `src/cli/commands/`; do not edit. Names and layouts are virsh's where virsh",
    "has the command; `label`, `plan`, `audit`, `doctor`, `recover` and `reap` are svirt's own. Standard output is data",
    "only; errors go to standard error, one line each, with a line that says what to do. Of several errors the first",
    "fixes the exit code; of one document they are in its order. `svirt COMMAND --help` prints the same.",
    "",
    ...formatContents(),
    "",
    "## Exit codes",
    "",
    "| code | meaning |",
    "| --: | --- |",
    ...EXIT_CODES.map(([code, meaning]) => `| ${code} | ${meaning} |`),
    "",
    ...specs.flatMap(formatCommand),
    "## Commands of virsh that are missing",
    "",
    `${MISSING_INTRO} [The reasons](clients.md#not-implemented).`,
    "",
    listMissing(specs.map(({ name }) => name))
      .map((name) => `\`${name}\``)
      .join(", "),
    "",
    "## Options of virsh that are missing",
    "",
    LACKING_INTRO,
    "",
    "| command | missing options |",
    "| --- | --- |",
    ...listLacking(specs).map(
      ({ name, options }) => `| \`${name}\` | ${options.map((option) => `\`--${option}\``).join(", ")} |`,
    ),
    "",
  ].join("\n");
}

function formatCommand(spec: CommandSpec): string[] {
  const details = spec.details === undefined ? [] : [spec.details, ""];
  const operands = spec.operands.map(({ name, summary }) => `- \`<${name}>\`: ${summary}`);
  const options = spec.options.map((option) => `- \`${formatOption(option)}\`: ${option.summary}`);
  const words = [...operands, ...options];
  return [
    `## ${spec.name}`,
    "",
    `${sentence(spec.summary)}`,
    "",
    `    svirt ${formatSynopsis(spec)}`,
    "",
    ...details,
    ...words,
    ...(words.length > 0 ? [""] : []),
  ];
}

function sentence(text: string): string {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(start) ? start : `${start}.`;
}

import { optionsOf } from "../../src/cli/arguments/parse-arguments.ts";
import type { CommandSpec } from "../../src/cli/command.ts";

/** Operands that can be completed. */
const COMPLETED: ReadonlySet<string> = new Set(["domain", "file", "network", "path", "pool"]);

/** Formats a completion for bash: commands, their options, and domains, networks, pools or files as operands. */
export function formatCompletion(specs: readonly CommandSpec[]): string {
  return `# bash completion for svirt. Made by scripts/write-docs.ts from src/cli/commands/; do not edit.
# shellcheck shell=bash

_svirt() {
  local word=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]} options='' wants=''
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W '${firstWords(specs).join(" ")}' -- "$word")
    return
  fi
  case $command in
${formatFamilies(specs)}
  esac
  case $command in
${specs.map(formatCase).join("\n")}
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif [[ $wants == domain ]]; then
    _svirt_names list --all --name
  elif [[ $wants == network ]]; then
    _svirt_names net-list --all --name
  elif [[ $wants == pool ]]; then
    _svirt_names pool-list --all --name
  elif [[ $wants == file ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}

# Completes the names that a svirt command prints. compgen -W would run a name such as $(command).
_svirt_names() {
  local name names
  mapfile -t names < <(svirt "$@" 2>/dev/null)
  for name in "\${names[@]}"; do
    # Quoted, so that the completed command line does not run it either.
    printf -v name %q "$name"
    [[ $name != "$word"* ]] || COMPREPLY+=("$name")
  done
}

complete -F _svirt svirt
`;
}

function firstWords(specs: readonly CommandSpec[]): string[] {
  return [...new Set(specs.map(({ name }) => name.split(" ", 1).join(""))), "help"];
}

/** Formats commands of two words: completes the second, then both words form the command. */
function formatFamilies(specs: readonly CommandSpec[]): string {
  const pairs = specs.map(({ name }) => name.split(" ")).filter(({ length }) => length === 2);
  const families = Map.groupBy(pairs, ([first]) => first);
  return [...families]
    .map(([first, members]) => {
      const words = members.map(([, second]) => second).join(" ");
      return `    ${first})
      if ((COMP_CWORD == 2)); then
        mapfile -t COMPREPLY < <(compgen -W '${words}' -- "$word")
        return
      fi
      command+=" \${COMP_WORDS[2]}"
      ;;`;
    })
    .join("\n");
}

/** Whether an operand that is named a pool is a folder's path. */
function isFolder({ name }: CommandSpec, operand: string | undefined): boolean {
  return operand === "pool" && name.startsWith("vol-");
}

function formatCase(spec: CommandSpec): string {
  const options = optionsOf(spec).map(({ name }) => `--${name}`);
  const operand = spec.operands.map(({ name }) => name).find((name) => COMPLETED.has(name));
  const wants = operand === "path" || isFolder(spec, operand) ? "file" : operand;
  const assignments = [`options='${options.join(" ")}'`, ...(wants === undefined ? [] : [`wants=${wants}`])];
  const pattern = spec.name.includes(" ") ? `"${spec.name}"` : spec.name;
  return `    ${pattern}) ${assignments.join(" ")} ;;`;
}

import type { CommandSpec } from "../../src/cli/command.ts";
import { optionsOf } from "../../src/cli/parse-arguments.ts";

/** A completion for bash: commands, their options, and domains or files where a command wants them. */
export function formatCompletion(specs: readonly CommandSpec[]): string {
  return `# bash completion for svirt. Made by scripts/write-docs.ts from src/cli/commands/; do not edit.
# shellcheck shell=bash

_svirt() {
  local word=\${COMP_WORDS[COMP_CWORD]} options='' wants=''
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W '${[...specs.map(({ name }) => name), "help"].join(" ")}' -- "$word")
    return
  fi
  case \${COMP_WORDS[1]} in
${specs.map(formatCase).join("\n")}
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif [[ $wants == domain ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(svirt list --all --name 2>/dev/null)" -- "$word")
  elif [[ $wants == file ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}

complete -F _svirt svirt
`;
}

function formatCase(spec: CommandSpec): string {
  const options = optionsOf(spec).map(({ name }) => `--${name}`);
  const wants = spec.operands.map(({ name }) => name).find((name) => name === "domain" || name === "file");
  const assignments = [`options='${options.join(" ")}'`, ...(wants === undefined ? [] : [`wants=${wants}`])];
  return `    ${spec.name}) ${assignments.join(" ")} ;;`;
}

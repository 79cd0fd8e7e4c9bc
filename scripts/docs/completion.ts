import { optionsOf } from "../../src/cli/arguments/parse-arguments.ts";
import { type CommandSpec, DEVICE_OPERAND, type Operand } from "../../src/cli/command.ts";
import { NEW_POOL_OPERAND } from "../../src/cli/volume-options.ts";

/** Operands that can be completed. */
const COMPLETED: ReadonlySet<string> = new Set([
  "domain",
  "file",
  "network",
  "path",
  "pool",
  "secret",
  "vol",
]);

/**
 * Formats a completion for bash: commands, their options, and domains, networks, pools, secrets, volumes,
 * devices or files as operands.
 */
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
  if _svirt_after_pool; then
    _svirt_names pool-list --all --name
    return
  fi
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif [[ $wants == domain ]]; then
    _svirt_names list --all --name
  elif [[ $wants == network ]]; then
    _svirt_names net-list --all --name
  elif [[ $wants == @(pool|place) ]]; then
    _svirt_names pool-list --all --name
  elif [[ $wants == vol ]]; then
    _svirt_volumes
  elif [[ $wants == device ]]; then
    _svirt_names nodedev-list
  elif [[ $wants == secret ]]; then
    _svirt_secrets
  fi
  if [[ $wants == @(file|place|vol) && $word != -* ]] && ((\${#COMPREPLY[@]} == 0)); then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}

# Succeeds behind --pool or --inputpool, with or without =.
_svirt_after_pool() {
  local at=$((COMP_CWORD - 1))
  [[ \${COMP_WORDS[at]} != = ]] || at=$((at - 1))
  # The word itself may be the =.
  [[ $word != = ]] || word=
  [[ \${COMP_WORDS[at]} == --@(pool|inputpool) ]]
}

# Completes the volumes of the pool that the command line names.
_svirt_volumes() {
  local at pool
  for ((at = 2; at < \${#COMP_WORDS[@]} - 1; at++)); do
    [[ \${COMP_WORDS[at]} == --@(pool|inputpool) ]] || continue
    pool=\${COMP_WORDS[at + 1]}
    [[ $pool != = ]] || pool=\${COMP_WORDS[at + 2]}
    # As the shell reads it.
    _svirt_names vol-list "\${pool//\\\\/}" --name
    return
  done
}

# Completes the UUIDs of secrets, the first column of their list.
_svirt_secrets() {
  local uuid rest
  while read -r uuid rest; do
    [[ $uuid != *-*-* || $uuid == --* || $uuid != "$word"* ]] || COMPREPLY+=("$uuid")
  done < <(svirt secret-list 2>/dev/null)
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

function formatCase(spec: CommandSpec): string {
  const options = optionsOf(spec).map(({ name }) => `--${name}`);
  const operand = spec.operands.find((one) => COMPLETED.has(one.name) || one === DEVICE_OPERAND);
  const wants = operand === undefined ? undefined : kindOf(operand);
  const assignments = [`options='${options.join(" ")}'`, ...(wants === undefined ? [] : [`wants=${wants}`])];
  const pattern = spec.name.includes(" ") ? `"${spec.name}"` : spec.name;
  return `    ${pattern}) ${assignments.join(" ")} ;;`;
}

/** Returns the names that an operand is completed with: a place is a pool or a folder. */
function kindOf(operand: Operand): string {
  if (operand === NEW_POOL_OPERAND) return "place";
  return operand.name === "path" ? "file" : operand.name;
}

# shellcheck shell=bash
# Sourced by scripts/test, after count.sh: checks of the source, several at once.

# The process of each check that has begun.
declare -A begun

run_checks() {
  local name
  progress 'checking: biome, tsc, knip, shellcheck'
  begin_shellcheck
  begin knip bun --bun x knip
  begin tsc bun --bun x tsc
  begin biome bun --bun x biome check . --max-diagnostics=none
  for name in shellcheck knip tsc biome; do finish "$name"; done
}

check_shell_scripts() {
  progress 'checking: shellcheck'
  begin_shellcheck
  finish shellcheck
}

begin_shellcheck() {
  local -a shell
  mapfile -t shell < <(list_shell_scripts)
  begin shellcheck shellcheck -x -P SCRIPTDIR -P . "${shell[@]}"
}

# check NAME COMMAND...: runs one check, and shows its output if it fails.
check() {
  progress "checking: $1"
  begin "$@"
  finish "$1"
}

# begin NAME COMMAND...: starts a check in the background; finish NAME waits for it.
begin() {
  local name=$1
  shift
  mkdir -p dist/checks
  # A command that waits for a lock reports it here, not in the file.
  SVIRT_TELL=3 "$@" 3>&2 >"dist/checks/$name" 2>&1 </dev/null &
  begun[$name]=$!
}

finish() {
  if wait "${begun[$1]}"; then
    passed=$((passed + 1))
  else
    add_failure "$1"
    cat "dist/checks/$1" >&2
    printf '(fail) %s\n' "$1" >&2
  fi
}

# Prints the shell scripts of the checkout.
list_shell_scripts() {
  git ls-files -co --exclude-standard -- scripts image .ci test | while read -r file; do
    [ -f "$file" ] && head -n 1 "$file" | grep -aqE '^#!.*\b(ba|da)?sh\b|^# shellcheck shell=' && printf '%s\n' "$file"
  done || true
}

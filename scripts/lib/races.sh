# shellcheck shell=bash
# shellcheck disable=SC2154 # of count.sh
# Sourced by the scripts that run tests, after count.sh: failed test files of the host run once more, alone.

# run_host_failures_again JUNIT RESULTS: runs each failed file of the JUnit file once more, and forgives it if
# it passes then. RESULTS gets a line for the ledger. Files whose failures are never forgiven, and more than
# two files, do not run again: scripts/gate/rules.ts.
run_host_failures_again() {
  local file log
  local -a files again
  names_all_failures "$1" || return 0
  mapfile -t files < <(list_failed "$1" | sed 's/: .*//' | sort -u)
  mapfile -t again < <(bun scripts/gate.ts reruns "${files[@]}")
  for file in "${again[@]}"; do
    progress "once more, alone: $file"
    log=$(junit_of "$file").again.log
    if bun test --timeout=60000 "$file" >"$log" 2>&1 </dev/null; then
      forgive "$file" "$2"
    else
      show_failed "$log" >&2
    fi
  done
}

# forgive FILE RESULTS: counts the failures of the file as passed, and names them as races. A file without a
# named failure could not be loaded.
forgive() {
  local name
  local -a kept=() titles=()
  for name in "${failures_named[@]}"; do
    if [[ $name == "${1#./}: "* ]]; then titles+=("${name#*: }"); else kept+=("$name"); fi
  done
  [ "${#titles[@]}" -gt 0 ] || return 0
  failures_named=("${kept[@]}")
  failed=$((failed - ${#titles[@]})) passed=$((passed + ${#titles[@]}))
  note_race "$1" 0 "$2" "${titles[@]}"
}

# note_race FILE SECONDS RESULTS TITLE...
note_race() {
  local title
  for title in "${@:4}"; do raced_named+=("${1#./}: $title"); done
  printf '%s\t%s\traced\t%s\n' "${1#./}" "$2" "$(printf '%s\n' "${@:4}" | paste -sd';')" >>"$3"
}

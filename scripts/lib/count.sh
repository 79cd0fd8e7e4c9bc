# shellcheck shell=bash
# Sourced by the scripts that run tests, after test-files.sh: sums of JUnit files, and the end of a run.

passed=0 failed=0 skipped=0
# What has failed, for the list at the end, and the output of the test runs that have failed.
failures_named=()
failed_logs=()
# Files that failed and passed alone, "FILE: TITLE".
raced_named=()

# add_failure NAME
add_failure() {
  failed=$((failed + 1))
  failures_named+=("$1")
}

# count_junit FILE STATUS SKIPS: adds the results of a JUnit file to the sums.
count_junit() {
  local junit=$1 status=$2 skips=$3 tests failures skips_found
  tests=$(sum tests "$junit") failures=$(sum failures "$junit") skips_found=$(sum skipped "$junit")
  passed=$((passed + tests - failures - skips_found))
  mapfile -t -O "${#failures_named[@]}" failures_named < <(list_failed "$junit")
  [ "$failures" = 0 ] || failed_logs+=("${junit%.xml}.log")
  # A file that cannot be loaded fails without a test of its own.
  if [ "$status" != 0 ] && [ "$failures" = 0 ]; then
    failures=1
    failures_named+=("$junit: bun ends with code $status, and no test has failed")
  fi
  if [ "$skips" = skip-is-failure ]; then
    [ "$skips_found" = 0 ] || failures_named+=("$junit: $skips_found tests were skipped on the node")
    failures=$((failures + skips_found)) skips_found=0
  fi
  failed=$((failed + failures)) skipped=$((skipped + skips_found))
}

# sum ATTRIBUTE FILE: prints the attribute of <testsuites>, without a fraction, or 0 if the file is missing.
sum() {
  local found
  found=$(sed -n "s/.*<testsuites .*\b$1=\"\([0-9]*\)[.\"].*/\1/p" "$2" 2>/dev/null || true)
  printf '%d\n' "${found:-0}"
}

# sum_up: prints what the failed tests have printed, their names, the races, and the sums. Fails if a test has
# failed.
sum_up() {
  local log
  for log in "${failed_logs[@]}"; do
    progress "what has failed, from $log"
    show_failed "$log" >&2
  done
  [ "${#failures_named[@]}" = 0 ] || printf '(fail) %s\n' "${failures_named[@]}" >&2
  tell_races
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  [ "$failed" = 0 ]
}

tell_races() {
  [ "${#raced_named[@]}" = 0 ] || printf 'raced: %s\n' "${raced_named[@]}" >&2
}

# junit_of FILE: prints the path of the test file's results, without an extension.
junit_of() {
  local name=${1#./}
  name=${name#test/}
  name=${name%.test.ts}
  printf 'dist/junit/%s\n' "${name//\//-}"
}

# shellcheck shell=bash
# shellcheck disable=SC2154 # of count.sh
# Sourced by scripts/test, after count.sh and races.sh: runs a queue of test files on nodes, and records their
# results.

readonly QUEUE=dist/junit/queue RESULTS=dist/junit/results
# Of a gate, in seconds: kept free for stopping nodes and for its end; the start of the nodes; the time beyond
# the budget in which files without which the gate fails may still begin.
# shellcheck disable=SC2034 # used by scripts/test
readonly SECONDS_AT_END=30 SECONDS_OF_BOOT=45 SECONDS_BEYOND=1500

# Processes that keep the processors busy.
busy=()
own_nodes=''

# Also after a signal that ends this run.
clean_up() {
  [ "${#busy[@]}" = 0 ] || kill "${busy[@]}" 2>/dev/null || true
  [ -z "$own_nodes" ] || each_node stop || true
}

start_results() {
  mkdir -p dist/junit
  rm -f dist/junit/*.status dist/junit/*.first.* dist/junit/state-*
  : >"$RESULTS"
  export SVIRT_SEED=${SVIRT_SEED:-$RANDOM}
  part_began=$EPOCHSECONDS
}

# part_ends NAME: notes the time since the end of the last part, for .ci/run.
part_ends() {
  [ -z "${SVIRT_PARTS:-}" ] || printf '%s\t%s\n' "$((EPOCHSECONDS - part_began))" "$1" >>"$SVIRT_PARTS"
  part_began=$EPOCHSECONDS
}

# queue_of FILE...
queue_of() {
  bun scripts/gate.ts order "$SVIRT_SEED" "$@" >"$QUEUE"
}

# run_queue: runs the files of the queue: README's while no node runs, then files that need both nodes, then
# the rest.
run_queue() {
  local -a files readme both
  mapfile -t files < <(cut -d' ' -f3 "$QUEUE")
  mapfile -t readme < <(printf '%s\n' "${files[@]}" | grep -- '^\./test/readme/')
  mapfile -t both < <(printf '%s\n' "${files[@]}" | grep -- '^\./test/node/pair/')
  progress "running the tests in the order of SVIRT_SEED=$SVIRT_SEED: ${#files[@]} files"
  remove_from_queue '/test/(readme|node/pair)/'
  [ "${#readme[@]}" = 0 ] || SVIRT_NODES=demo scripts/lib/node-tests --both "${readme[@]}" || true
  part_ends "README's tour"
  ! printf '%s\n' "${files[@]}" | grep -q -- "$CLIENTS" || need_packages "${CLIENT_PACKAGES[@]}"
  if { [ -s "$QUEUE" ] || [ "${#both[@]}" -gt 0 ]; } && start_nodes "$(wc -l <"$QUEUE")" "${#both[@]}"; then
    part_ends 'start of the nodes'
    [ "${#both[@]}" = 0 ] || scripts/lib/node-tests --both "${both[@]}" || true
    scripts/lib/node-tests "$QUEUE" || true
    part_ends 'files on nodes'
  fi
  mapfile -t files < <(printf '%s\n' "${files[@]}" | grep . | grep -vxFf <(cut -d' ' -f3 "$QUEUE"))
  note_missing "${files[@]}"
  run_failures_again
  count_files "${files[@]}"
  part_ends 'failed files once more'
  # Without a limit of time, each file has to run.
  [ -n "${SVIRT_STOP_MAY:-}" ] || [ ! -s "$QUEUE" ] || add_failure "not run: $(cut -d' ' -f3 "$QUEUE" | paste -sd' ')"
}

# note_missing FILE...: counts a file that was begun, and of which no result was written, as failed.
note_missing() {
  local file
  for file; do
    cut -f1 "$RESULTS" | grep -qxF -- "$file" || printf '%s\t0\tfailed\n' "$file" >>"$RESULTS"
  done
}

# remove_from_queue PATTERN
remove_from_queue() {
  grep -vE -- "$1" "$QUEUE" >"$QUEUE.rest" || true
  mv "$QUEUE.rest" "$QUEUE"
}

# Runs failed files once more, on nodes of this run only. The ledger then has one result of each file: passed,
# failed or raced.
run_failures_again() {
  local -a failed_files again
  mapfile -t failed_files < <(awk -F'\t' '$3 == "failed" { print $1 }' "$RESULTS")
  [ "${#failed_files[@]}" -gt 0 ] && [ -z "${SVIRT_NODE:-}${SVIRT_RERUN:-}" ] || return 0
  mapfile -t again < <(bun scripts/gate.ts reruns "${failed_files[@]}")
  [ "${#again[@]}" = 0 ] || SVIRT_NODES=${SVIRT_NODES:-test-1} scripts/lib/node-tests --again "${again[@]}" || true
  local file
  for file in "${again[@]}"; do judge_again "$file"; done
}

# judge_again FILE: replaces the two results of a file that ran again by one.
judge_again() {
  local seconds result
  local -a titles
  IFS=$'\t' read -r seconds result < <(awk -F'\t' -v file="$1" '$1 == file { last = $2 "\t" $3 } END { print last }' "$RESULTS")
  awk -F'\t' -v file="$1" '$1 != file' "$RESULTS" >"$RESULTS.rest"
  mv "$RESULTS.rest" "$RESULTS"
  if [ "$result" = passed ]; then
    mapfile -t titles < <(list_failed "$(junit_of "$1").first.xml" | sed 's/^[^:]*: //')
    [ "${#titles[@]}" -gt 0 ] || titles=('the file as a whole')
    note_race "$1" "$seconds" "$RESULTS" "${titles[@]}"
  else
    printf '%s\t%s\tfailed\n' "$1" "$seconds" >>"$RESULTS"
  fi
}

# count_files FILE...
count_files() {
  local file skips
  for file; do
    skips=skip-is-failure
    [[ $file == ./test/node/* || $file == ./test/readme/* ]] || skips=skip-is-fine
    count_junit "$(junit_of "$file").xml" "$(cat "$(junit_of "$file").status" || echo 1)" "$skips"
  done
}

# start_nodes FILES PAIRS: starts separate nodes, which stop at the end. If SVIRT_NODE names a node, starts
# only this one, and a second one for files that need two, and leaves them running.
start_nodes() {
  # A busy machine boots them slowly.
  export SVIRT_NODE_TIMEOUT=${SVIRT_NODE_TIMEOUT:-400}
  if [ -n "${SVIRT_NODE:-}" ]; then
    export SVIRT_NODES=$SVIRT_NODE
    [ "$2" = 0 ] || SVIRT_NODES="$SVIRT_NODE $SVIRT_NODE-other"
    scripts/node build >&2 && each_node start && each_node refresh && return 0
  else
    export SVIRT_NODES='test-1 test-2' SVIRT_OWN_NODES=yes
    [ "$(($1 + 2 * $2))" -gt 1 ] || SVIRT_NODES=test-1
    own_nodes=yes
    each_node stop || true
    SVIRT_NODE=test-1 scripts/node build >&2 && each_node start && return 0
  fi
  add_failure 'a node does not start'
  return 1
}

# each_node WORD: runs scripts/node WORD for each node in parallel.
each_node() {
  tr ' ' '\n' <<<"$SVIRT_NODES" | SVIRT_AS_BUILT=1 xargs -P 2 -I '{}' env SVIRT_NODE='{}' scripts/node "$1" >&2
}

# record_run NAME: adds the result of the whole run to the results.
record_run() {
  printf '%s\t%s\t%s\n' "$1" "$((EPOCHSECONDS - SVIRT_STARTED))" "$([ "$failed" = 0 ] && echo passed || echo failed)" >>"$RESULTS"
}

# Writes the results to the ledger, and ends the run.
end_run() {
  [ ! -s "$RESULTS" ] || bun scripts/gate.ts record "$RESULTS"
  local sums=0
  sum_up || sums=$?
  return "$sums"
}

#!/bin/sh
# On the node: ends alice in every way, and shows the labels of its files before, while it ran, and after.
#
#   ends.sh all | check     Exit 1: a label was not restored, or something remained.
#
# check: only checks that nothing remains and that all is as before alice's last start.
set -eu
uuid=$(svirt domuuid alice | tr -d '\n')
files='/srv/demo/alice.qcow2 /srv/demo/base.img /dev/vdd'
record=/var/lib/svirt/records/$uuid.json
rest=/srv/demo/rest-before
failed=0

# The definition stays, with the files that a start reads: docs/decisions/state.md, "A completed definition is
# kept as JSON".
kept="/etc/svirt/domains/alice.xml /var/lib/svirt/completed/$uuid"

label_of() { getfattr -n security.selinux "$1" 2>/dev/null | sed -n 's/.*object_r:\(.*\)"$/\1/p'; }
labels() { for file in $files; do label_of "$file"; done; }

heading() {
  print_row 'How it ended, put back by' File Before 'While it ran' After
}

print_row() { printf '%-27s %-22s %-23s %-27s %s\n' "$@"; }

# row HOW-IT-ENDED PUT-BACK-BY BEFORE WHILE AFTER: prints a line for each file.
row() {
  at=0
  for file in $files; do
    at=$((at + 1))
    case $at in 1) first=$1 ;; 2) first="  $2" ;; *) first='' ;; esac
    print_row "$first" "$file" "$(line "$at" "$3")" "$(line "$at" "$4")" "$(line "$at" "$5")"
  done
  [ "$3" = "$5" ] || wrong 'a label was not put back'
  [ "$3" != "$4" ] || wrong 'nothing was labelled'
  check_nothing_left
}

line() { printf '%s\n' "$2" | sed -n "$1p"; }

# Prints mode, owner and every extended attribute of alice's files, and its stored definition: constant while
# it does not run.
print_rest() {
  for file in $files; do
    stat -c '%n %F %a %u:%g' "$file"
    getfattr -d "$file" 2>&1
  done
  # A missing file is printed as missing, and so shows as a difference.
  for file in $kept; do sha256sum "$file" 2>&1 || :; done
}

check_nothing_left() {
  # Locks are files that belong to no guest, and /run/svirt/ended records how a guest ended.
  left=$(find /var/lib/svirt /run/svirt /sys/fs/cgroup -name "*$uuid*" \
    ! -path '*/locks/*' ! -path '*/ended/*' ! -path "/var/lib/svirt/completed/$uuid")
  [ -z "$left" ] || wrong "left: $left"
  print_rest | diff "$rest" - >&2 || wrong 'not as it was before'
  for pid in $(pidof qemu-system-x86_64); do
    ! grep -q "$uuid" "/proc/$pid/cmdline" || wrong "QEMU still runs: process $pid"
  done
}

wrong() {
  printf '  WRONG: %s\n' "$1"
  failed=1
}

# Seconds without any progress after which a wait ends. A busy machine may take as long as it needs.
patience=120

# wait_while PROGRESS COMMAND...: waits while the command succeeds and the output of PROGRESS changes.
wait_while() {
  progress=$1 last='' idle=0
  shift
  while "$@" && [ "$idle" -lt "$((patience * 5))" ]; do
    now=$($progress 2>/dev/null || :)
    if [ "$now" = "$last" ]; then idle=$((idle + 1)); else idle=0 last=$now; fi
    sleep 0.2
  done
}

# The reaper works asynchronously to the caller: its record changes, or the processor time of a svirt.
wait_for_the_end() { wait_while end_progress [ -e "$record" ]; }
# shellcheck disable=SC2317 # called by its name
end_progress() {
  stat -c '%Y %s' "$record"
  for pid in $(pidof svirt); do cat "/proc/$pid/stat"; done
}

wait_for_the_guest() { wait_while boot_progress is_silent; }
# shellcheck disable=SC2317 # called by its name
is_silent() { ! grep -q disk /srv/demo/alice.serial; }
# shellcheck disable=SC2317 # called by its name
boot_progress() { stat -c %s /srv/demo/alice.serial; }

# way HOW-IT-ENDED PUT-BACK-BY
way() {
  before=$(labels)
  start "$1"
  while_it_ran=$(labels)
  end_by "$1"
  wait_for_the_end
  row "$1" "$2" "$before" "$while_it_ran" "$(labels)"
}

start() {
  case $1 in
    'svirt killed in a start')
      # QEMU runs and the caller has no result yet.
      step=$(svirt plan alice | awk '$2 == "start" { print $1 }')
      ! svirt start alice --crash-drill "after:$step" >/dev/null 2>&1 || wrong 'svirt was not killed'
      ;;
    *) svirt start alice >/dev/null ;;
  esac
}

end_by() {
  case $1 in
    'svirt destroy') svirt destroy alice >/dev/null ;;
    'its own power-off')
      wait_for_the_guest
      svirt shutdown alice >/dev/null
      ;;
    'kill -9 of QEMU') kill -9 "$(cat "/run/svirt/$uuid/pid")" ;;
    'svirt killed in a start') svirt list >/dev/null ;;
    'svirt killed in a stop')
      ! svirt destroy alice --crash-drill after:2 >/dev/null 2>&1 || wrong 'svirt was not killed'
      svirt list >/dev/null
      ;;
  esac
}

all() {
  print_rest >"$rest"
  heading
  way 'svirt destroy' itself
  way 'its own power-off' 'its reaper'
  way 'kill -9 of QEMU' 'its reaper'
  way 'svirt killed in a start' 'the next svirt list'
  way 'svirt killed in a stop' 'the next svirt list'
}

case ${1-} in
  all) all ;;
  check) check_nothing_left ;;
  *) exit 2 ;;
esac
exit "$failed"

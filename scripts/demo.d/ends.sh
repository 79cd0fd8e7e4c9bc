#!/bin/sh
# On the node: ends alice in every way, and shows the labels of its files before, while it ran, and after.
#
#   ends.sh all | before-failure | after-failure | check     Exit 1: a label was not restored, or something remained.
#
# check: only checks that nothing remains and that all is as before alice's last start.
set -eu
uuid=$(svirt domuuid alice | tr -d '\n')
files='/srv/demo/alice.qcow2 /srv/demo/base.img /dev/vdd'
memory=/srv/demo/labels-before
rest=/srv/demo/rest-before
failed=0

# The definition stays, with the files that a start reads: docs/decisions/state.md, "A completed definition is kept as JSON".
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

# Prints mode, owner and every extended attribute of alice's files, and its stored definition: constant while it does not run.
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

# The reaper works asynchronously to the caller.
wait_for_the_end() {
  tries=0
  while [ -e "/var/lib/svirt/records/$uuid.json" ] && [ "$tries" -lt 100 ]; do
    sleep 0.2
    tries=$((tries + 1))
  done
}

wait_for_the_guest() {
  tries=0
  until grep -q disk /srv/demo/alice.serial || [ "$tries" -ge 100 ]; do
    sleep 0.2
    tries=$((tries + 1))
  done
}

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

before_failure() {
  print_rest >"$rest"
  labels >"$memory"
  svirt start alice >/dev/null
  labels >"$memory.while"
  sync
}

after_failure() {
  heading
  row 'power failure' 'svirt recover, at boot' "$(cat "$memory")" "$(cat "$memory.while")" "$(labels)"
}

case ${1-} in
  all) all ;;
  before-failure) before_failure ;;
  after-failure) after_failure ;;
  check) check_nothing_left ;;
  *) exit 2 ;;
esac
exit "$failed"

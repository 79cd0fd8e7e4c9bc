# shellcheck shell=sh disable=SC2154 # read by liar.sh, which has the variables
# The same attempts without confinement: as unconfined root, or on a file, a socket, a folder without svirt.

# hands FOLDER LOOP SOCKET: prints the arguments of launch for the files there, in the order of role_numbers.
role_numbers='disk=3 tap=5 shared=10 base=11 cdrom=12 loop=13 random=14 monitor=15'
hands() {
  printf -- '--disk %s --hand 10:rw:%s --hand 11:r:%s --hand 12:r:%s --hand 13:rw:%s --hand 14:r:/dev/urandom --hand 15:l:%s' \
    "$1/disk.img" "$1/shared.img" "$1/base.img" "$1/cdrom.img" "$2" "$3"
}

# loop_of FOLDER DEVICE: sets up a loop device that belongs to no guest.
loop_of() {
  losetup -d "$2" 2>/dev/null || :
  losetup -o 65536 "$2" "$1/slice.img"
  echo "$2"
}

# Passes the descriptors of svirt to a process with the guest's label and user, who owns the files: only the
# label can refuse.
run_as_owner() {
  renew liar-kvm
  owner_pid=$(pid_of liar-kvm)
  owner_uid=$(uid_of "$owner_pid")
  owner_label=$(image_label_of liar-kvm)
  make_files owner
  owner_loop=$(loop_of "$here/owner" /dev/loop4)
  owner_loop_label=$(label_of "$owner_loop")
  printf 'monitor_path=%s\n' "$(run_folder_of liar-kvm)/monitor.sock" >"$here/owner/facts"
  : >"$here/owner/report"
  chown "$owner_uid" "$here/owner"/*
  set_label "$owner_label" "$here/owner/disk.img" "$here/owner/facts" "$here/owner/report" "$owner_loop"
  set_label system_u:object_r:svirt_image_t:s0 "$here/owner/shared.img"
  set_label system_u:object_r:virt_content_t:s0 "$here/owner/base.img" "$here/owner/cdrom.img"
  # shellcheck disable=SC2046,SC2086 # words
  "$here/launch-svirt" --label "$(context_of "$owner_pid")" --like "$owner_pid" --in "$here/owner/facts" \
    --out "$here/owner/report" $(hands "$here/owner" "$owner_loop" @liar-owner) -- "$emulator" try handed $role_numbers ||
    say "the owner's tries ended with $?"
  cat "$here/owner/report"
  set_label "$owner_loop_label" "$owner_loop"
  losetup -d "$owner_loop" 2>/dev/null || :
  svirt destroy liar-kvm >/dev/null 2>&1 || :
}

# control_inside GROUP
control_inside() {
  make_files control
  # In memory, like a guest's folder.
  control_space=/run/svirt-liar-space
  mkdir -p "$here/control/own/guest" "$control_space"
  sleep 3600 &
  control_parent=$!
  sleep 3600 &
  control_again=$!
  printf 'own log\n' >"$here/control/log.log"
  cat >"$here/control/facts" <<FACTS
own_folder=$here/control/own/guest
own_space=$control_space
monitor_path=$here/control/monitor.sock
parent=$control_parent
parent_again=$control_again
FACTS
  echo 1 >"$here/control/own/pid"
  control_loop=$(loop_of "$here/control" /dev/loop7)
  # Descriptor 30 is not among its arguments.
  # shellcheck disable=SC2046,SC2086 # words
  "$here/launch" --in "$here/control/facts" --out "$here/control/report" $(hands "$here/control" "$control_loop" "$here/control/monitor.sock") \
    --hand "16:a:$here/control/log.log" --hand 30:r:/dev/null -- "$here/liar" try "$1" $role_numbers log=16 ||
    say "the control's tries ended with $?"
  cat "$here/control/report"
  losetup -d "$control_loop" 2>/dev/null || :
  kill -CONT "$control_parent" "$control_again" 2>/dev/null || :
  kill "$control_parent" "$control_again" 2>/dev/null || :
  rm -rf "$here/control" "$control_space"
}

# wait_for WHAT COMMAND...: waits until the command succeeds, a minute at most, so that no control waits
# without end.
wait_for() {
  awaited=$1 tries=600
  shift
  until "$@" 2>/dev/null; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { say "waited a minute for $awaited" && return; }
    sleep 0.1
  done
}

control_scenes() {
  mkdir -p "$here/control"
  file "$here/control/disk.img" 4
  # shellcheck disable=SC2086 # families
  scenes control $words_scenes $acts_scenes $keeps_scenes $traps_scenes
  rm -rf "$here/control"
}

# Runs a naive program in each scene: the verdict is done if the lie, the trap or the process succeeds.

control_lie() {
  write_order control "$3" "$4"
  "$here/liar" serve "$here/control/lie.sock" "$here/control/disk.img" >/dev/null 2>&1 &
  control_server=$!
  wait_for 'the socket' [ -S "$here/control/lie.sock" ]
  case $4 in any) asked=query-status ;; *) asked=$4 ;; esac
  watched 2 64 "$here/liar" client "$here/control/lie.sock" "$asked"
  kill -9 "$control_server"
  rm -f "$here/control/lie.sock"
  if [ "$how" = ended ] && [ "$code" = 0 ] && is_honest; then verdict=refused; else verdict='done'; fi
  result "$1" monitor "$2" "$verdict" client "$how $code after $ms ms, $kib KiB"
}

control_agent() { control_lie "$1" "$2" "$3" any; }

# Runs a program that keeps its lock while it waits for QEMU.
control_other() {
  write_order control never any
  "$here/liar" serve "$here/control/lie.sock" "$here/control/disk.img" >/dev/null 2>&1 &
  control_server=$!
  wait_for 'the socket' [ -S "$here/control/lie.sock" ]
  rm -f "$scratch/locked"
  # shellcheck disable=SC2016
  "$here/liar" lock "$here/control/lock" sh -c ': >"$0" && exec "$@"' "$scratch/locked" \
    "$here/liar" watch 8 64 "$here/liar" client "$here/control/lie.sock" query-status 3>/dev/null &
  wait_for 'the lock' [ -e "$scratch/locked" ]
  watched 2 64 "$here/liar" lock "$here/control/lock" true
  kill -9 "$control_server"
  rm -f "$here/control/lie.sock"
  wait
  [ "$how" = ended ] && verdict=refused || verdict='done'
  result "$1" monitor "$2" "$verdict" lock "$how $code"
}

# Checks for an answer to the request and nothing else.
is_honest() { grep -qE '^\{"return":\{("status":"running","running":true)?\},"id":2\}' "$scratch/out"; }

control_keep() {
  kept_file=${4:-$here/control}/control.img
  file "$kept_file" 1024
  watched 20 64 "$here/liar" hold "$3" "$kept_file"
  [ "$how $code" = "ended 0" ] && verdict='done' || verdict=refused
  result "$1" monitor "$2" "$verdict" hold "$how $code"
}

control_tap() {
  modprobe vhost_net || say "$1: vhost_net"
  watched 20 64 "$here/liar" hold-tap svirtkeep1
  [ "$how $code" = "ended 0" ] && verdict='done' || verdict=refused
  result "$1" monitor "$2" "$verdict" hold "$how $code"
}

# Writes to a file that was removed while it is open.
control_picture() {
  watched 30 64 sh -c 'exec 9>/run/svirt-liar-picture && rm /run/svirt-liar-picture && dd if=/dev/zero bs=1048576 count=96 >&9'
  [ "$how $code" = 'ended 0' ] && verdict='done' || verdict=refused
  result "$1" monitor "$2" "$verdict" write "$how $code"
}

# Ends the process as programs do: by SIGTERM to its number. A separate control group removes the rest
# afterwards.
control_linger() {
  lingerers=/sys/fs/cgroup/liar-$3
  mkdir -p "$lingerers"
  echo 40 >"$lingerers/pids.max"
  : >"$scratch/lingers"
  sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$lingerers" "$here/liar" linger "$3" >"$scratch/lingers" 2>/dev/null &
  control_pid=$!
  wait_for "$3" has_begun
  kill "$control_pid"
  wait "$control_pid" 2>/dev/null || :
  control_left=$(wc -l <"$lingerers/cgroup.procs")
  [ "$control_left" -gt 0 ] && verdict='done' || verdict=refused
  result "$1" monitor "$2" "$verdict" kill "$control_left left"
  wait_for "the end of $3" ends_all
}

# has_begun: the program lingers, or has ended.
has_begun() { [ -s "$scratch/lingers" ] || ! kill -0 "$control_pid"; }

# ends_all: repeated until the group is empty. Without a further process in the group, none that forks and
# exits escapes the signals. They go to processes and threads by kill(2), which any living thread of a process
# takes: cgroup.kill of Linux 6.12.107 signals the first thread alone, and a process whose first thread is
# dead stays. kill of busybox signals each number in turn.
ends_all() {
  echo 0 >"$lingerers/pids.max"
  # shellcheck disable=SC2046 # numbers
  kill -9 $(cat "$lingerers/cgroup.procs" "$lingerers/cgroup.threads" | sort -u)
  rmdir "$lingerers"
}

control_end() { :; }

control_leave() { control_linger "$1" "$2" orphan; }

# Runs a program that trusts the content of the folder: $4 is its command.
control_trap() {
  put_victims_back
  mkdir -p "$here/control/trap"
  (cd "$here/control/trap" && "$here/liar" trap "$3" "$victims") || say "$3: no trap"
  watched 2 64 sh -c "cd $here/control/trap && $4"
  { [ "$how $code" != "ended 0" ] || ! victims_are_well; } && verdict='done' || verdict=refused
  result "$1" monitor "$2" "$verdict" naive "$how $code"
  # rm of busybox fails on so many levels.
  [ "$3" != deep ] || "$here/liar" undig "$here/control/trap"
  rm -rf "$here/control/trap"
}

# shellcheck shell=sh
# Runs on the node, before `state` or `tidy` of scripts/lib/known-state.

# Prints the state that a test file may leave, a line each.
state() {
  state_processes
  state_kernel
  state_files
}

# Lists the programs that run, without shells, connections and this program's pipes.
state_processes() {
  for state_process in /proc/[0-9]*; do
    state_program=$(readlink "$state_process/exe") || continue
    case $state_program in
      */busybox | */sh | */dropbear) ;;
      *) echo "process $state_program" ;;
    esac
  done | sort
}

state_kernel() {
  cut -d' ' -f1 /proc/modules | sed 's/^/module /' | sort
  cut -d' ' -f1-3 /proc/self/mounts | sed 's/^/mount /' | sort
  find /sys/class/net -mindepth 1 -maxdepth 1 | sed 's/.*\//interface /' | sort
  for state_loop in /sys/block/loop*/loop/backing_file; do
    [ ! -e "$state_loop" ] || echo "loop /dev/$(echo "$state_loop" | cut -d/ -f4)"
  done
  find /sys/fs/cgroup -mindepth 1 -type d | sed 's/^/control group /' | sort
  for state_setting in kernel/hostname net/ipv4/ip_forward vm/nr_hugepages; do
    echo "setting $state_setting $(cat "/proc/sys/$state_setting")"
  done
  echo "setting enforce $(cat /sys/fs/selinux/enforce)"
  # The command loads the module.
  ! [ -e /sys/module/nf_tables ] || nft list tables | sed 's/^/nft /'
}

# Lists files with mode, owner, label and remembered label. Locks are no state.
state_files() {
  state_list=$(mktemp /tmp/state.XXXXXX)
  find /srv /usr/local /tmp /var/tmp /root /etc/svirt /run /var/lib /dev \( -path /dev/pts -o -path '*/locks' -o -path /dev/shm \) -prune \
    -o ! -path '/tmp/state.*' ! -path '/dev/tty*' ! -path '/dev/vcs*' -print | sort >"$state_list"
  tr '\n' '\0' <"$state_list" | xargs -0 stat -c 'file %n %a %u:%g' 2>/dev/null
  tr '\n' '\0' <"$state_list" | xargs -0 /usr/bin/getfattr -h -d -m - --absolute-names 2>/dev/null |
    awk '/^# file: / { path = substr($0, 9); next } /./ { print "attribute " path " " $0 }'
  rm -f "$state_list"
}

# tidy KNOWN: removes everything that the file KNOWN, an output of `state`, does not list, as far as this
# works without a boot.
tidy() {
  tidy_known=$1
  tidy_guests
  tidy_processes
  tidy_kernel
  state_files | sed -n 's/^file \(.*\) [0-7]* [0-9]*:[0-9]*$/\1/p' | sort -r | while IFS= read -r tidy_path; do
    case $tidy_path in /dev/*) continue ;; esac
    [ "$tidy_path" = "$tidy_known" ] || grep -qF "file $tidy_path " "$tidy_known" || rm -rf "$tidy_path"
  done
  tidy_modules
  rm -f "$tidy_known"
}

tidy_guests() {
  for tidy_name in $(svirt list --name); do svirt destroy "$tidy_name"; done
  for tidy_name in $(svirt net-list --name); do svirt net-destroy "$tidy_name"; done
  for tidy_name in $(svirt pool-list --name); do svirt pool-destroy "$tidy_name"; done
}

# Ends scripts of tests, which may go on after a test has timed out, and programs.
tidy_processes() {
  for tidy_process in /proc/[0-9]*; do
    tidy_program=$(readlink "$tidy_process/exe") || continue
    case "$tidy_program $(tr '\0' ' ' <"$tidy_process/cmdline" 2>/dev/null)" in
      *' sh /tmp/svirt-test.'*) kill -KILL "${tidy_process#/proc/}" ;;
      */busybox\ * | */sh\ * | */dropbear\ *) ;;
      *) grep -qx "process $tidy_program" "$tidy_known" || kill -KILL "${tidy_process#/proc/}" ;;
    esac
  done
}

tidy_kernel() {
  cut -d' ' -f1-3 /proc/self/mounts | while read -r tidy_device tidy_folder tidy_type; do
    grep -qxF "mount $tidy_device $tidy_folder $tidy_type" "$tidy_known" || echo "$tidy_folder"
  done | sort -r | while read -r tidy_folder; do
    # The kernel writes a blank as \040.
    umount "$(printf '%b' "$tidy_folder")"
  done
  state_kernel | sed -n 's/^loop //p' | while read -r tidy_loop; do losetup -d "$tidy_loop"; done
  find /sys/fs/cgroup -mindepth 1 -depth -type d | while IFS= read -r tidy_group; do
    grep -qxF "control group $tidy_group" "$tidy_known" || rmdir "$tidy_group"
  done
}

# A module may use other modules, which are listed behind it.
tidy_modules() {
  for _ in 1 2 3; do
    cut -d' ' -f1 /proc/modules | while read -r tidy_module; do
      grep -qx "module $tidy_module" "$tidy_known" || rmmod "$tidy_module"
    done
  done
}

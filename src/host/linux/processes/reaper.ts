import { LIMIT_DESCRIPTORS } from "./limit-descriptors.ts";

// Rule: The context is set at exec: without the context no QEMU runs.
// Rule: QEMU's parent is a reaper, which becomes svirt reap when QEMU has ended.

/**
 * Script of a shell that starts the reaper and ends with status 0 once QEMU's process number is recorded. So
 * no guest is below the svirt that has started it: a guest that is started again while svirt waits for
 * another program is none of that program's remains.
 *
 * The reaper is QEMU's parent, a POSIX shell. It starts QEMU as its own user without capabilities, and
 * records the process number. It closes every descriptor that it passed, since a device that is detached
 * later must not stay busy. It waits, records QEMU's exit status, and becomes `svirt reap`. The text never
 * changes: all values of a guest are positional arguments.
 *
 *   $1 folder of the record in /run $2 svirt $3 the guest's UUID $4 user and group, empty: the caller's own
 *   $5 context, empty for none
 *   $6 first descriptor that was not passed   $7 control group, empty for none
 *   $8 KiB of memory that QEMU may lock, empty for the limit of the host
 *   $9 descriptors that QEMU may have, empty for the limit of the host   $10... QEMU and its arguments
 *
 * No program that QEMU starts can gain rights. An ordinary user cannot empty the bounding set.
 *
 * setpriv is called by its full path: a busybox shell would run its own, which has fewer options.
 *
 * setpriv, the program that becomes QEMU, writes the exec context. It executes QEMU only if the kernel
 * accepted it: no context, no QEMU. The same holds for the control group, which the process joins while it is
 * still root. The shell stays outside, so that the group is empty once QEMU has ended.
 *
 * If the host runs out of memory, the kernel should end a guest before sshd, svirt or a reaper, which has
 * labels to restore. So a guest's score has half of all memory added. proc_pid_oom_score_adj(5)
 *
 * The limit on descriptors applies only to QEMU: `svirt reap` must not fail because of it.
 *
 * The umask is not the caller's: others must not be able to write the files that QEMU and the reaper create.
 *
 * POSIX lets a shell close only single-digit descriptors; busybox and bash close the others too.
 */
export const REAPER_SCRIPT = `
folder=$1 svirt=$2 uuid=$3 user=$4 context=$5 end=$6 group=$7 memlock=$8 nofile=$9
shift 9
umask 022
[ -z "$memlock" ] || ulimit -l "$memlock" || exit
drop="/usr/bin/setpriv --no-new-privs --reuid $user --regid $user --clear-groups --inh-caps=-all --bounding-set=-all"
[ -n "$user" ] || drop="/usr/bin/setpriv --no-new-privs --inh-caps=-all"
join() { [ -z "$group" ] || printf 0 >"$group/cgroup.procs"; }
${LIMIT_DESCRIPTORS}
expend() { printf 500 >/proc/self/oom_score_adj; }
reap() {
  { join && expend && limit "$nofile" && exec $drop \${context:+--selinux-label "$context"} -- "$@"; } >&2 &
  guest=$!
  printf '%s\\n' "$guest" >"$folder/pid" && printf started && exec >&2
  most=9
  if (eval 'exec 10>&-') 2>/dev/null; then most=$end; fi
  fd=3
  while [ "$fd" -lt "$end" ] && [ "$fd" -le "$most" ]; do
    eval "exec $fd>&-"
    fd=$((fd + 1))
  done
  wait "$guest"
  printf '%s\\n' "$?" >"$folder/exit"
  exec "$svirt" reap "$uuid"
}
[ "$(reap "$@" &)" = started ]
`;

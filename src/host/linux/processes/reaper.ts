import { LIMIT_DESCRIPTORS } from "./limit-descriptors.ts";

/**
 * The reaper: QEMU's parent, a POSIX shell. It starts QEMU as its own user without capabilities, writes down the
 * process number, lets go of every descriptor that it handed on (a device that is detached later must not stay busy),
 * waits, writes down how QEMU ended, and becomes `svirt reap`. The text never changes: everything that differs from
 * guest to guest comes in as a positional argument.
 *
 *   $1 folder of the record in /run   $2 svirt   $3 the guest's UUID   $4 user and group, empty: the caller's own
 *   $5 context, empty for none
 *   $6 first descriptor that was not handed on   $7 control group, empty for none
 *   $8 KiB of memory that QEMU may lock, empty for the host's own limit
 *   $9 descriptors that QEMU may have, empty for the host's own limit   $10... QEMU and its words
 *
 * Who is no root cannot empty the bounding set; instead no program that it starts can be given a capability.
 *
 * setpriv is called by its whole path: a busybox shell would take its own, which knows less.
 *
 * The exec context is written by setpriv, the program that becomes QEMU, and the exec is reached only when the kernel took
 * it: no context, no QEMU. Likewise the control group, which it joins while it is root still; the shell itself stays
 * outside, so that the group is empty once QEMU has ended.
 *
 * When the host has no memory left, the kernel is to end a guest rather than sshd, svirt or a reaper, which has labels to put
 * back: so a guest's score has half of all memory added. proc_pid_oom_score_adj(5)
 *
 * QEMU alone is limited in its descriptors: `svirt reap` is not to fail by it.
 *
 * The umask is not the caller's: what QEMU and the reaper make nobody else may write, whoever began the guest.
 *
 * Single-digit descriptors are all that POSIX lets a shell close; busybox and bash close the others too.
 */
export const REAPER_SCRIPT = `
folder=$1 svirt=$2 uuid=$3 user=$4 context=$5 end=$6 group=$7 memlock=$8 nofile=$9
shift 9
umask 022
[ -z "$memlock" ] || ulimit -l "$memlock" || exit
drop="/usr/bin/setpriv --reuid $user --regid $user --clear-groups --inh-caps=-all --bounding-set=-all"
[ -n "$user" ] || drop="/usr/bin/setpriv --no-new-privs --inh-caps=-all"
join() { [ -z "$group" ] || printf 0 >"$group/cgroup.procs"; }
${LIMIT_DESCRIPTORS}
expend() { printf 500 >/proc/self/oom_score_adj; }
{ join && expend && limit "$nofile" && exec $drop \${context:+--selinux-label "$context"} -- "$@"; } &
guest=$!
printf '%s\\n' "$guest" >"$folder/pid"
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
`;

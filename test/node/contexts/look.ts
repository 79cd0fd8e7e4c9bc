/** Shell commands for a node, with busybox and getfattr; judge.ts parses their output. */

/** Prints each process that has not ended: number, program, context. A kernel thread has no program: "-". */
export const LIST_PROCESSES = `for p in /proc/[0-9]*; do
  context=$(tr -d '\\0' <$p/attr/current) && program=$(readlink $p/exe || echo -) &&
    grep -q '^State:.[^XZ]' $p/status && echo "\${p#/proc/} $program $context"
done 2>/dev/null`;

/**
 * Prints each listening socket: protocol, port, and the contexts of its holders. 0A: TCP_LISTEN, 07: not
 * connected.
 */
export const LIST_LISTENERS = `for table in tcp:0A tcp6:0A udp:07 udp6:07 raw:07 raw6:07; do
  awk -v table=\${table%:*} -v state=\${table#*:} '$4 == state { print table, $2, $10 }' /proc/net/\${table%:*}
done 2>/dev/null | while read -r table address inode; do
  for fd in /proc/[0-9]*/fd/*; do
    [ "$(readlink $fd)" != "socket:[$inode]" ] || echo "$table $((0x\${address##*:})) $(tr -d '\\0' <\${fd%/fd/*}/attr/current)"
  done 2>/dev/null
done | sort -u`;

/** Prints each path of these file systems as getfattr does, after a line with its kind. */
export function listLabels(mounts: readonly string[]): string {
  return `for kind in f d l c b s p; do
  echo "kind $kind"
  find ${mounts.join(" ")} -xdev -type $kind -print0 | xargs -0 -r /usr/bin/getfattr -h -n security.selinux --absolute-names -- 2>/dev/null
done`;
}

/** File contexts of the node. */
export const FILE_CONTEXTS = "/etc/selinux/default/contexts/files/file_contexts";

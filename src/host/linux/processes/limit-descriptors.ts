// Rule: QEMU may have a limit of descriptors, which its reaper has not.

/**
 * Shell function with a limit on the descriptors of the shell and of its next program. An empty argument
 * changes nothing. If the limit cannot be set, it succeeds only if the hard limit is not higher. sh(1)
 * ulimit, RLIMIT_NOFILE
 */
export const LIMIT_DESCRIPTORS =
  'limit() { [ -z "$1" ] || ulimit -n "$1" 2>/dev/null || [ "$(ulimit -Hn)" -le "$1" ]; }';

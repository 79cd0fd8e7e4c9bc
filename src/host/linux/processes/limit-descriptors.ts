/**
 * A function of a POSIX shell that limits it, and what it becomes, to so many descriptors; to the hard limit if that is less, and to
 * nothing else if that is empty. It fails where the limit would be higher. sh(1) ulimit, RLIMIT_NOFILE
 */
export const LIMIT_DESCRIPTORS =
  'limit() { [ -z "$1" ] || ulimit -n "$1" 2>/dev/null || [ "$(ulimit -Hn)" -le "$1" ]; }';

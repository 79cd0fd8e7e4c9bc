/**
 * Calls `work` with a umask of 0, so that what it creates has exactly the requested mode. It must not be
 * asynchronous, since the umask belongs to the whole process. umask(2)
 */
export function withoutUmask<T>(work: () => T): T {
  const before = process.umask(0);
  try {
    return work();
  } finally {
    process.umask(before);
  }
}

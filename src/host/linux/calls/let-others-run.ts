/** Longest work in a row. */
const WORK_MS = 25;

let since = 0;

/**
 * Lets all other ready work run, if none has for a while. Long work of this thread calls it between its
 * parts: a connection is answered meanwhile.
 */
export async function letOthersRun(): Promise<void> {
  if (performance.now() - since < WORK_MS) return;
  await new Promise<void>((resolve) => setImmediate(resolve));
  since = performance.now();
}

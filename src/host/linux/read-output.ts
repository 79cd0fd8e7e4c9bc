/** Host.readOutput */
export function readOutput(words: readonly string[]): string | undefined {
  try {
    const done = Bun.spawnSync([...words], {
      stdin: "ignore",
      stderr: "ignore",
      env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
    });
    return done.success ? done.stdout.toString() : undefined;
  } catch {
    // Not there, or the policy does not allow it: the caller says what follows from that.
    return undefined;
  }
}

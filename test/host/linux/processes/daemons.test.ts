import { expect, test } from "bun:test";
import { endDaemon, hasDaemon } from "../../../../src/host/linux/processes/daemons.ts";

const isRoot = process.getuid?.() === 0 && Bun.which("setpriv") !== null;

/** Runs sleep(1) with the words, as the user, and returns it once it runs. */
async function sleep(user: number, ...words: readonly string[]): Promise<Bun.Subprocess> {
  const child = Bun.spawn(["setpriv", `--reuid=${user}`, "sleep", ...words], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  const line = ["sleep", ...words, ""].join("\0");
  while ((await Bun.file(`/proc/${child.pid}/cmdline`).text()) !== line) await Bun.sleep(5);
  return child;
}

// An ordinary user could hold its own process in the kernel, by a FUSE file system, and so the end of each
// network.
test.skipIf(!isRoot)(
  `a daemon is root's or a system user's, with the argument first; others with it stay${isRoot ? "" : " (skipped: needs root)"}`,
  async () => {
    const argument = "31.415926";
    const others = [
      await sleep(1000, argument),
      await sleep(100_000, argument),
      await sleep(0, "1", argument),
    ];
    try {
      expect(hasDaemon(argument)).toBe(false);
      const daemons = [await sleep(0, argument), await sleep(101, argument), await sleep(65_534, argument)];
      expect(hasDaemon(argument)).toBe(true);
      await endDaemon(argument);
      expect(hasDaemon(argument)).toBe(false);
      await Promise.all(daemons.map(({ exited }) => exited));
      expect(daemons.map(({ signalCode }) => signalCode)).toEqual(["SIGKILL", "SIGKILL", "SIGKILL"]);
      expect(others.map(({ exitCode, signalCode }) => exitCode ?? signalCode)).toEqual([null, null, null]);
    } finally {
      for (const other of others) other.kill("SIGKILL");
    }
  },
);

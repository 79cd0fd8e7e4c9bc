import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fileKey } from "../../../../src/plan/facts/file-key.ts";
import { ASIDE, MISSING, RealFolder } from "../../../real-host/folder.ts";

const TABLES = 6;
const COPIES = 1000;

/**
 * Starts a process with TABLES threads, each with its own descriptor table and COPIES copies of one
 * descriptor.
 */
async function flood(path: string): Promise<Bun.Subprocess> {
  const words = [process.execPath, `${import.meta.dir}/flooder.ts`, path, String(TABLES), String(COPIES)];
  const child = Bun.spawn(words, { stdin: "ignore", stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  if (new TextDecoder().decode(value) !== "floods\n") throw new Error("it does not flood");
  return child;
}

/** Returns the size of a process's descriptor table. proc_pid_status(5) */
function roomOf(pid: number): number {
  return Number(/^FDSize:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/**
 * Waits until a process sleeps in its program: before, its files and mappings still change. proc_pid_stat(5)
 */
async function untilAsleep(pid: number): Promise<void> {
  while (!readFileSync(`/proc/${pid}/stat`, "utf8").includes("(sleep) S ")) await Bun.sleep(5);
}

describe.skipIf(MISSING !== undefined)(`a process with more open than is looked at${ASIDE}`, () => {
  test.each([false, true])(
    "is told of as such, and not looked at further: complete %p",
    async (isComplete) => {
      using folder = new RealFolder();
      const [path, other] = [folder.file("held", "x"), folder.file("other", "x")];
      const things = [{ key: fileKey(folder.id(other)), path: other }];
      const child = await flood(path);
      try {
        const look = (most?: number) =>
          folder.host.findHoldings(things, [child.pid], {
            isComplete,
            ...(most === undefined ? {} : { most }),
          });
        // The first table alone has COPIES descriptors. A limit of descriptors bounds each table, not their
        // sum.
        expect(look(COPIES + 500)).toEqual([
          { pid: child.pid, by: expect.stringContaining("more open files"), canWrite: true, isTooMuch: true },
        ]);
        expect(look(TABLES * COPIES * 10)).toEqual([]);
        expect(look()).toEqual([]);
      } finally {
        child.kill("SIGKILL");
        await child.exited;
      }
    },
  );

  test("hides nothing from a look that is large enough", async () => {
    using folder = new RealFolder();
    const path = folder.file("held", "x");
    const things = [{ key: fileKey(folder.id(path)), path }];
    const child = await flood(path);
    try {
      const found = folder.host.findHoldings(things, [child.pid], { isComplete: false });
      expect(found.length).toBeGreaterThanOrEqual(TABLES * COPIES);
      expect(new Set(found.map(({ key }) => key))).toEqual(new Set([things[0]?.key]));
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
  });

  test("has all of its processes counted together", async () => {
    using folder = new RealFolder();
    const path = folder.file("held", "x");
    const things = [{ key: fileKey(folder.id(path)), path }];
    const children = [1, 2, 3].map(() => Bun.spawn(["sleep", "60"], { stdin: "ignore" }));
    try {
      const pids = children.map(({ pid }) => pid);
      await Promise.all(pids.map(untilAsleep));
      const look = (some: readonly number[], most: number) =>
        folder.host.findHoldings(things, some, { isComplete: false, most }).map(({ isTooMuch }) => isTooMuch);
      // Enough for the descriptor table of one process, and the few descriptors of sleep(1).
      const most = Math.max(...pids.map(roomOf)) + 8;
      expect(pids.map((pid) => look([pid], most))).toEqual([[], [], []]);
      expect(look(pids, most)).toEqual([true]);
      expect(look(pids, 3 * most)).toEqual([]);
    } finally {
      for (const child of children) child.kill("SIGKILL");
    }
  });
});

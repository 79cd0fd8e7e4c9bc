import { describe, expect, test } from "bun:test";
import { closeSync, constants, readFileSync, readSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { openPassed } from "../../../../src/host/linux/content/open-passed.ts";
import type { PassedFile } from "../../../../src/plan/facts/launch-spec.ts";
import { RealFolder } from "../../../real-host/folder.ts";

type PassedOptions = Partial<Omit<PassedFile, "file">>;

async function open(folder: RealFolder, path: string, options: PassedOptions): Promise<number> {
  const how = { fd: 3, access: "read-only", truncate: false, direct: false, ...options } as const;
  return await openPassed({ ...how, file: folder.id(path) });
}

/** Returns the flags of a descriptor as the kernel reports them. proc_pid_fdinfo(5) */
function flagsOf(fd: number): number {
  const [, flags = ""] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")) ?? [];
  return Number.parseInt(flags, 8);
}

const { O_APPEND, O_DIRECT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;
const TOLD = O_APPEND | O_DIRECT | O_NONBLOCK | O_RDONLY | O_RDWR | O_WRONLY;

describe("a file that is opened for a guest", () => {
  test.each<[string, PassedOptions, number]>([
    ["to be read", {}, O_RDONLY],
    ["to be written", { access: "read-write" }, O_RDWR],
    ["to be added to", { access: "append" }, O_WRONLY | O_APPEND],
    ["past the cache", { access: "read-write", direct: true }, O_RDWR | O_DIRECT],
    ["without waiting", { nonBlocking: true }, O_RDONLY | O_NONBLOCK],
  ])("%s can that and no more", async (_, options, flags) => {
    using folder = new RealFolder();
    const fd = await open(folder, folder.file("disk", "text"), options);
    expect((flagsOf(fd) & TOLD).toString(8)).toBe(flags.toString(8));
    closeSync(fd);
  });

  test("to be added to keeps what was in it, and is emptied only where that is asked for", async () => {
    using folder = new RealFolder();
    const path = folder.file("log", "before\n");
    const fd = await open(folder, path, { access: "append" });
    writeSync(fd, "after\n", 0);
    closeSync(fd);
    expect(readFileSync(path, "utf8")).toBe("before\nafter\n");
    closeSync(await open(folder, path, { access: "append", truncate: true }));
    expect(readFileSync(path, "utf8")).toBe("");
  });

  test("is the one that was inspected: not another at its path, nor what a symlink there leads to", async () => {
    using folder = new RealFolder();
    const path = folder.file("disk", "mine");
    const file = folder.id(path);
    const options = { fd: 3, file, access: "append", truncate: true, direct: false } as const;
    renameSync(path, `${path}.old`);
    const secret = folder.file("secret", "secret");
    folder.symlink("disk", secret);
    await expect(openPassed(options)).rejects.toThrow("the file was replaced");
    folder.host.removeFile(path);
    writeFileSync(path, "another");
    await expect(openPassed(options)).rejects.toThrow("the file was replaced");
    expect([readFileSync(secret, "utf8"), readFileSync(path, "utf8")]).toEqual(["secret", "another"]);
    // A symlink to the inspected file is refused as well, because its path was not inspected.
    folder.host.removeFile(path);
    folder.symlink("disk", `${path}.old`);
    await expect(openPassed(options)).rejects.toThrow("the file was replaced");
    expect(readFileSync(`${path}.old`, "utf8")).toBe("mine");
  });

  const python = Bun.which("python3");
  test.skipIf(python === null)(
    `does not become the terminal of who opens it${python === null ? " (skipped: python3 is missing)" : ""}`,
    () => {
      // A session leader without a terminal gets the first terminal that it opens without O_NOCTTY. open(2)
      const script = `import os, sys
master, slave = os.openpty()
name = os.ttyname(slave)
os.close(slave)
child = os.fork()
if child == 0:
    os.setsid()
    os.execv(sys.argv[1], [sys.argv[1], sys.argv[2], name, *sys.argv[3:]])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))`;
      const opener = new URL("terminal-opener.ts", import.meta.url).pathname;
      const terminalAfter = (...words: string[]) =>
        Bun.spawnSync([python ?? "", "-c", script, process.execPath, opener, ...words]).stdout.toString();
      expect(terminalAfter()).toBe("0\n");
      expect(terminalAfter("as-a-shell-would")).not.toBe("0\n");
    },
  );

  test("is read from its beginning", async () => {
    using folder = new RealFolder();
    const fd = await open(folder, folder.file("disk", "text"), {});
    const bytes = new Uint8Array(4);
    readSync(fd, bytes);
    closeSync(fd);
    expect(new TextDecoder().decode(bytes)).toBe("text");
  });
});

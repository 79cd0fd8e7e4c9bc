// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { ASIDE, MISSING, OWN_USER, RealFolder } from "../../../real-host/folder.ts";

const LIMIT_MS = 10_000;
const TIMEOUT_MS = 120_000;
const LONGEST_NAME = 255;

/** Returns a name of 255 bytes that is not UTF-8. */
function nameOf(at: number): Buffer {
  return Buffer.concat([Buffer.from(`${at}-`), Buffer.alloc(LONGEST_NAME, 0xff)]).subarray(0, LONGEST_NAME);
}

function pathIn(folder: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${folder}/`), name]);
}

/** Creates nested folders, each with a file beside the next folder. */
function nest(top: string, levels: number): void {
  let folder = openSync(top, "r");
  for (let at = 0; at < levels; at += 1) {
    const path = pathIn(folder, nameOf(at));
    mkdirSync(path);
    writeFileSync(pathIn(folder, Buffer.from("file")), "");
    const below = openSync(path, "r");
    closeSync(folder);
    folder = below;
  }
  closeSync(folder);
}

/** Removes a folder as another user. Returns the error, or an empty text. */
function removeAs(uid: number, path: string): string {
  const host = new URL("../../../../src/host/linux/linux-host.ts", import.meta.url).pathname;
  const script = `import { makeLinuxHost } from "${host}";
    const host = makeLinuxHost();
    // Brings in all modules of a removal, which that user may not read.
    host.removeFolder(${JSON.stringify(`${path}.missing`)});
    process.setuid(${uid});
    try { host.removeFolder(${JSON.stringify(path)}); } catch (error) { console.log(String(error)); }`;
  return Bun.spawnSync([process.execPath, "-e", script]).stdout.toString();
}

/** A tmpfs, like /run. */
class InMemory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    mkdirSync(path);
    expect(Bun.spawnSync(["mount", "-t", "tmpfs", "none", path]).exitCode).toBe(0);
  }

  [Symbol.dispose](): void {
    Bun.spawnSync(["umount", "-l", this.path]);
  }
}

/** Returns the processor time of work in milliseconds, which other load of the machine does not lengthen. */
function timeOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { system, user } = process.cpuUsage(before);
  return (system + user) / 1000;
}

interface Removal {
  readonly exitCode: number;
  readonly said: string;
  /** Processor time. */
  readonly tookMs: number;
}

/** Removes a folder in a separate process, started by the command `words`. */
function removeBy(words: readonly string[], path: string): Removal {
  const script = `(await import("${import.meta.dir}/../../../../src/host/linux/linux-host.ts")).makeLinuxHost().removeFolder("${path}")`;
  const { exitCode, resourceUsage, stderr } = Bun.spawnSync([...words, process.execPath, "-e", script], {
    timeout: TIMEOUT_MS / 2,
  });
  return { exitCode, said: stderr.toString(), tookMs: Number(resourceUsage.cpuTime.total) / 1000 };
}

describe.skipIf(MISSING !== undefined)(`removeFolder()${ASIDE}`, () => {
  test("leaves the mode of a folder alone that is another user's, and so removes an empty one", () => {
    using folder = new RealFolder();
    chmodSync(folder.path, 0o711);
    const own = `${folder.path}/own`;
    mkdirSync(`${own}/empty`, { recursive: true });
    chownSync(own, OWN_USER, OWN_USER);
    chmodSync(`${own}/empty`, 0o555);
    expect(removeAs(OWN_USER, `${own}/empty`)).toBe("");
    expect(existsSync(`${own}/empty`)).toBe(false);
  });

  test(
    "removes 10,000 levels of names of 255 bytes within 10 s of processor time, with a few descriptors",
    () => {
      using folder = new RealFolder();
      using memory = new InMemory(`${folder.path}/run`);
      const path = `${memory.path}/guest`;
      mkdirSync(path);
      nest(path, 10_000);
      const few = ["/bin/sh", "-c", 'ulimit -n 100; exec "$@"', "sh"];
      const { tookMs, ...removed } = removeBy(few, path);
      expect(removed).toEqual({ exitCode: 0, said: "" });
      expect(tookMs).toBeLessThan(LIMIT_MS);
      expect(existsSync(path)).toBe(false);
    },
    TIMEOUT_MS,
  );

  test(
    "removes 100,000 entries within 10 s of processor time, many of them folders that are not empty",
    () => {
      using folder = new RealFolder();
      using memory = new InMemory(`${folder.path}/run`);
      const path = `${memory.path}/guest`;
      mkdirSync(path);
      const fd = openSync(path, "r");
      for (let at = 0; at < 70_000; at += 1) closeSync(openSync(pathIn(fd, nameOf(at)), "w"));
      for (let at = 0; at < 15_000; at += 1) mkdirSync(`${path}/folder-${at}/below`, { recursive: true });
      closeSync(fd);
      expect(timeOf(() => folder.host.removeFolder(path))).toBeLessThan(LIMIT_MS);
      expect(existsSync(path)).toBe(false);
    },
    TIMEOUT_MS,
  );

  test.each(["a file system of its own", "a folder of the same file system"])(
    "does not go into %s that is mounted there, and says so",
    (what) => {
      using folder = new RealFolder();
      const [path, other] = [`${folder.path}/guest`, `${folder.path}/other`];
      mkdirSync(`${path}/deep/mounted`, { recursive: true });
      mkdirSync(other);
      const how = what.startsWith("a file") ? ["-t", "tmpfs", "none"] : ["--bind", other];
      expect(Bun.spawnSync(["mount", ...how, `${path}/deep/mounted`]).exitCode).toBe(0);
      try {
        writeFileSync(`${path}/deep/mounted/file`, "others'");
        expect(() => folder.host.removeFolder(path)).toThrow("another file system is mounted on");
        expect(readFileSync(`${path}/deep/mounted/file`, "utf8")).toBe("others'");
      } finally {
        Bun.spawnSync(["umount", `${path}/deep/mounted`]);
      }
      folder.host.removeFolder(path);
      expect(existsSync(path)).toBe(false);
    },
  );

  test.each(
    ["file", "deep/below", "deep/below/file"].flatMap((name) => [
      ["+i", name],
      ["+a", name],
    ]),
  )("tells of the attribute %s with the path of what has it: %s", (attribute, name) => {
    using folder = new RealFolder();
    const path = `${folder.path}/guest`;
    mkdirSync(`${path}/deep/below`, { recursive: true });
    for (const file of ["file", "deep/below/file"]) folder.file(`guest/${file}`);
    expect(Bun.spawnSync(["chattr", attribute, `${path}/${name}`]).exitCode).toBe(0);
    try {
      expect(() => folder.host.removeFolder(path)).toThrow(
        `Cannot remove ${path}/${name}: Operation not permitted (errno 1)`,
      );
    } finally {
      Bun.spawnSync(["chattr", "-ia", `${path}/${name}`]);
    }
    folder.host.removeFolder(path);
    expect(existsSync(path)).toBe(false);
  });

  test("removes folders that their owner may not read, as an ordinary user has to", () => {
    using folder = new RealFolder();
    const path = `${folder.path}/guest`;
    mkdirSync(`${path}/closed/below/file`, { recursive: true });
    for (const name of ["closed/below", "closed"])
      expect(Bun.spawnSync(["chmod", "000", `${path}/${name}`]).exitCode).toBe(0);
    // Without these two capabilities root has only an owner's rights to its own files.
    const plain = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"];
    expect(removeBy(plain, path)).toMatchObject({ exitCode: 0, said: "" });
    expect(existsSync(path)).toBe(false);
  });

  test("removes a link or a file that stands in the folder's place, and nothing that the link leads to", () => {
    using folder = new RealFolder();
    mkdirSync(`${folder.path}/other`);
    folder.file("other/file", "mine");
    folder.host.removeFolder(folder.symlink("link", `${folder.path}/other`));
    folder.host.removeFolder(folder.file("file"));
    expect(["link", "file", "other/file"].map((name) => existsSync(`${folder.path}/${name}`))).toEqual([
      false,
      false,
      true,
    ]);
  });
});

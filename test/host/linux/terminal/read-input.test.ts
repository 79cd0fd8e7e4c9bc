import { describe, expect, test } from "bun:test";
import { closeSync, constants, existsSync, openSync, readSync, writeFileSync } from "node:fs";
import type { LineLimits } from "../../../../src/host/files.ts";
import { inputCalls } from "../../../../src/host/linux/terminal/read-input.ts";
import { RealFolder } from "../../../real-host/folder.ts";

const { readInput, readLines } = inputCalls;
const CHUNK_BYTES = 65_536;
const ALL: LineLimits = { mostBytes: 1_000_000, shortest: 1, longest: 1000 };

function makeFifo(path: string): string {
  Bun.spawnSync(["mkfifo", path]);
  return path;
}

describe("an input that an operator names", () => {
  test("is read to its end, in as many parts as it takes", () => {
    using folder = new RealFolder();
    const text = "0123456789abcdef".repeat(CHUNK_BYTES / 4);
    const bytes = readInput(folder.file("input", text), 1_000_000);
    expect(Buffer.from(bytes).toString()).toBe(text);
  });

  test("is read one byte further than allowed, which tells that there is too much", () => {
    using folder = new RealFolder();
    for (const most of [10, CHUNK_BYTES - 1, CHUNK_BYTES]) {
      expect(readInput(folder.file("input", "x".repeat(CHUNK_BYTES * 2)), most)).toHaveLength(most + 1);
    }
  });

  test("is a descriptor of the caller's, read from where it stands and left open", () => {
    using folder = new RealFolder();
    const fd = openSync(folder.file("input", "first second"), constants.O_RDONLY);
    readSync(fd, Buffer.alloc(6), 0, 6, null);
    for (const path of [`/dev/fd/${fd}`, `/proc/self/fd/${fd}`]) {
      expect([path, Buffer.from(readInput(path, 3)).toString()]).toEqual([
        path,
        path.startsWith("/dev") ? "seco" : "nd",
      ]);
    }
    closeSync(fd);
    expect(() => readInput(`/dev/fd/${fd}`, 3)).toThrow(`Cannot read /dev/fd/${fd}: `);
  });

  test("is a pipe among the caller's descriptors, as a shell's <(...) is", () => {
    using folder = new RealFolder();
    const fd = openSync(makeFifo(`${folder.path}/pipe`), constants.O_RDWR);
    writeFileSync(fd, "through a pipe");
    expect(Buffer.from(readInput(`/dev/fd/${fd}`, 13)).toString()).toBe("through a pipe");
    closeSync(fd);
  });

  test("is refused when it is no file, without being opened for reading: a FIFO would wait for ever", () => {
    using folder = new RealFolder();
    const fifo = makeFifo(`${folder.path}/fifo`);
    using server = Bun.listen({ unix: `${folder.path}/socket`, socket: { data: () => undefined } });
    expect(() => readInput(fifo, 10)).toThrow(`Cannot read ${fifo}: it is a pipe, not a regular file`);
    expect(() => readInput(folder.path, 10)).toThrow("it is a folder, not a regular file");
    expect(() => readInput(`${folder.path}/socket`, 10)).toThrow("it is a socket, not a regular file");
    expect(() => readInput("/dev/null", 10)).toThrow("it is a device, not a regular file");
    const fd = openSync("/dev/null", constants.O_RDONLY);
    expect(() => readInput(`/dev/fd/${fd}`, 10)).toThrow("it is a device, not a regular file");
    closeSync(fd);
    expect(existsSync(`${folder.path}/socket`)).toBe(true);
    server.stop(true);
  });

  test("may be anything when it is standard input, by each of its names", () => {
    const module = new URL("../../../../src/host/linux/terminal/read-input.ts", import.meta.url).pathname;
    for (const name of ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"]) {
      const script = `import { inputCalls } from "${module}";
        process.stdout.write(inputCalls.readInput(${JSON.stringify(name)}, 100));`;
      const { stdout } = Bun.spawnSync([process.execPath, "-e", script], { stdin: Buffer.from("given") });
      expect([name, stdout.toString()]).toEqual([name, "given"]);
    }
  });
});

describe("the lines of an input", () => {
  test("are whole, wherever the parts that are read end, and the last needs no newline", () => {
    using folder = new RealFolder();
    const lines = Array.from({ length: 20_000 }, (_, at) => `line ${at} ü`);
    const path = folder.file("input", lines.join("\n"));
    expect([...readLines(path, ALL)]).toEqual(lines);
  });

  test("are left out when they are shorter or longer than wanted, by their bytes", () => {
    using folder = new RealFolder();
    const path = folder.file("input", ["a", "ab", "abcd", "abcde", "üü", "üüü", ""].join("\n"));
    expect([...readLines(path, { mostBytes: 100, shortest: 2, longest: 4 })]).toEqual(["ab", "abcd", "üü"]);
    const long = folder.file("long", `${"x".repeat(CHUNK_BYTES * 3)}\nshort`);
    expect([...readLines(long, ALL)]).toEqual(["short"]);
  });

  test("end where more bytes are than allowed, which is told", () => {
    using folder = new RealFolder();
    const path = folder.file("input", "one\ntwo\n");
    const read = (mostBytes: number) => {
      let isMore = false;
      const onMore = (): void => {
        isMore = true;
      };
      return { lines: [...readLines(path, { mostBytes, shortest: 1, longest: 10, onMore })], isMore };
    };
    expect(read(8)).toEqual({ lines: ["one", "two"], isMore: false });
    expect(read(7)).toEqual({ lines: [], isMore: true });
    expect([...readLines(path, { mostBytes: 7, shortest: 1, longest: 10 })]).toEqual([]);
  });

  test("are not begun with where a file is larger than allowed: its size is looked at first", () => {
    using folder = new RealFolder();
    const path = folder.file("log", "line\n".repeat(CHUNK_BYTES));
    let isMore = false;
    const limits = { mostBytes: CHUNK_BYTES * 4, shortest: 1, longest: 10, onMore: () => (isMore = true) };
    expect([readLines(path, limits).next().done, isMore]).toEqual([true, true]);
  });

  test("are those of a file's end also when it grows meanwhile", () => {
    using folder = new RealFolder();
    const text = `first\n${"line\n".repeat(CHUNK_BYTES / 4)}last`;
    const path = folder.file("log", text);
    const lines = readLines(path, { mostBytes: text.length, shortest: 1, longest: 10, isEnd: true });
    expect(lines.next().value).toBe("first");
    writeFileSync(path, "more\n", { flag: "a" });
    expect([...lines].at(-1)).toBe("last");
  });

  test("are those of a file's end when that is asked for", () => {
    using folder = new RealFolder();
    const path = folder.file("log", "one\ntwo\nthree\n");
    const end = (mostBytes: number) => [
      ...readLines(path, { mostBytes, shortest: 1, longest: 10, isEnd: true }),
    ];
    expect([end(6), end(9), end(100)]).toEqual([["three"], ["wo", "three"], ["one", "two", "three"]]);
  });
});

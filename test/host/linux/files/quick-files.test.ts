import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { SvirtError } from "../../../../src/errors.ts";
import { MISSING, RealFolder } from "../../../real-host/folder.ts";

const ROUNDS = 20;

/** Longer than the buffer for reading a file. */
const LONG = 70_000;
/** More names than the kernel returns at once. */
const MANY = 3000;

describe.skipIf(MISSING !== undefined)("reading by the C library", () => {
  test.each([
    ["nothing", ""],
    ["a byte order mark", "\ufeffa\n"],
    ["a NUL", "a\0b"],
    ["a long text whose letters stand across the buffer's end", `a${"ä€😀".repeat(LONG)}`],
  ])("gives %s as it is", (_what, text) => {
    using folder = new RealFolder();
    expect(folder.host.readText(folder.file("text", text))).toBe(text);
  });

  test("gives a file of /proc, which has no size", () => {
    using folder = new RealFolder();
    expect(folder.host.readText("/proc/self/status")).toContain("\nPid:\t");
  });

  test("gives all names of a folder, sorted, without . and ..", () => {
    using folder = new RealFolder();
    const names = Array.from({ length: MANY }, (_, at) => `ä ${at}${"-".repeat(at % 200)}`);
    for (const name of names) folder.file(name);
    folder.symlink("to nowhere", "/nowhere");
    mkdirSync(`${folder.path}/.hidden`);
    expect(folder.host.listFolder(folder.path)).toEqual([...names, "to nowhere", ".hidden"].sort());
  });

  test("says undefined, and no names, where nothing is", () => {
    using folder = new RealFolder();
    const file = folder.file("file");
    for (const path of [`${folder.path}/none`, `${file}/below`, folder.symlink("link", "/nowhere")]) {
      expect(folder.host.readText(path)).toBeUndefined();
      expect(folder.host.listFolder(path)).toEqual([]);
    }
    expect(folder.host.listFolder(file)).toEqual([]);
  });

  test("names the attempt and the kernel's words in an error", () => {
    using folder = new RealFolder();
    const path = folder.path;
    expect(() => folder.host.readText(path)).toThrow(SvirtError);
    expect(() => folder.host.readText(path)).toThrow(`Cannot read ${path}: Is a directory`);
    expect(() => folder.host.listFolder(folder.symlink("round", "round"))).toThrow(
      "Too many levels of symbolic",
    );
    expect(() => folder.host.readText("/etc/passwd\0.xml")).toThrow("NUL");
  });

  test("reads by node:fs where the policy denies code made at run time, and bun:ffi with it", () => {
    using folder = new RealFolder();
    const module = new URL("../../../../src/host/linux/files/quick-files.ts", import.meta.url).pathname;
    const path = folder.file("text", "content");
    const program = `const quick = await import(${JSON.stringify(module)});
      console.write(JSON.stringify([quick.readText("${path}"), quick.listFolder("${folder.path}"), quick.readText("/none")]));`;
    const { stdout } = Bun.spawnSync([process.execPath, "-e", program], { env: { BUN_JSC_useJIT: "0" } });
    expect(stdout.toString()).toBe(JSON.stringify(["content", ["text"], undefined]));
  });

  test("leaves no descriptor open, also where it fails", () => {
    using folder = new RealFolder();
    const open = () => folder.host.listFolder("/proc/self/fd").length;
    const before = open();
    for (let round = 0; round < ROUNDS; round += 1) {
      folder.host.readText("/proc/self/stat");
      expect(() => folder.host.readText(folder.path)).toThrow();
    }
    // Other tests of the process may open and close some meanwhile.
    expect(open()).toBeLessThan(before + ROUNDS);
  });
});

import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { RealFolder } from "../../../real-host/folder.ts";

// This kernel may run without SELinux, so files replace the attributes of the one thread that runs the test's program. They
// are mounted in a separate mount namespace. Each file keeps the last text written, and the rest of a longer text before it.

const MODULE = new URL("../../../../src/host/linux/processes/read-output.ts", import.meta.url).pathname;
const isAble = process.getuid?.() === 0 && Bun.spawnSync(["unshare", "-m", "true"]).exitCode === 0;
const ASIDE = isAble ? "" : " (skipped: needs root, and mount namespaces)";
const CONTEXT = "system_u:system_r:svirt_t:s0:c1,c2";
const LABEL = "system_u:object_r:svirt_image_t:s0:c1,c2";

/** Returns the output of a shell script that is run as a guest's program, with this input. */
function readConfined(folder: RealFolder, script: string, input?: string): unknown {
  mkdirSync(`${folder.path}/log`, { recursive: true });
  for (const name of ["exec", "fscreate"]) folder.file(name);
  const confined = { context: CONTEXT, inputLabel: LABEL, logFolder: `${folder.path}/log` };
  const call = [["/bin/sh", "-c", script], confined, ...(input === undefined ? [] : [input])];
  const program = `import { readOutputWithin } from "${MODULE}";
    const read = readOutputWithin({ deadlineMs: 1000, mostBytes: 4096 });
    process.stdout.write(JSON.stringify({ found: await read(...${JSON.stringify(call)}) }));`;
  const shell = `set -e
    for name in exec fscreate; do mount --bind "$1/$name" /proc/$$/task/$$/attr/$name; done
    exec "$0" -e "$2"`;
  const words = ["unshare", "-m", "sh", "-c", shell, process.execPath, folder.path, program];
  const child = Bun.spawnSync(words);
  if (!child.success) throw new Error(child.stderr.toString());
  return (JSON.parse(child.stdout.toString()) as { readonly found?: unknown }).found;
}

describe.skipIf(!isAble)(`a confined program${ASIDE}`, () => {
  test("is read, from a file of the guest's label, and leaves none; both contexts are cleared", () => {
    using folder = new RealFolder();
    expect(readConfined(folder, "cat", "given\n")).toEqual({ text: "given\n" });
    const [exec, file] = ["exec", "fscreate"].map((name) => readFileSync(`${folder.path}/${name}`, "utf8"));
    expect([exec, file]).toEqual([`\n${CONTEXT.slice(1)}\0`, `\n${LABEL.slice(1)}\0`]);
    expect(readdirSync(`${folder.path}/log`)).toEqual([]);
  });

  test("has an empty input where it is given none, and no variables but those that it needs", () => {
    using folder = new RealFolder();
    expect(readConfined(folder, "cat; exec env")).toEqual({
      text: expect.stringContaining("PATH=/usr/bin:/bin\n"),
    });
    expect(readConfined(folder, "echo $LC_ALL $HOME")).toEqual({ text: "C\n" });
  });

  test("gives nothing when it fails, writes too much or goes on for ever", () => {
    using folder = new RealFolder();
    for (const [script, fault] of [
      ["echo x; exit 3", "failed"],
      ["head -c 5000 /dev/zero", "too-long"],
      ["exec head -c 5000 /dev/zero", "too-long"],
      ["exec sleep 30", "timeout"],
    ] as const)
      expect([script, readConfined(folder, script)]).toEqual([script, { fault }]);
    expect(readConfined(folder, "head -c 4096 /dev/zero | tr '\\0' x")).toEqual({ text: "x".repeat(4096) });
    expect(readdirSync(`${folder.path}/log`)).toEqual([]);
  });
});

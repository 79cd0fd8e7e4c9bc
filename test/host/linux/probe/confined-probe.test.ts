import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { RealFolder } from "../../../real-host/folder.ts";

// This kernel may run without SELinux, so files replace the attributes of each process, in a mount namespace
// whose /proc has links to the other files of the real one. svirt opens an attribute without O_TRUNC, so that
// its file keeps the rest of a longer text.

const MODULE = new URL("../../../../src/host/linux/probe/read-probe.ts", import.meta.url).pathname;
const isAble = process.getuid?.() === 0 && Bun.spawnSync(["unshare", "-m", "true"]).exitCode === 0;
const ASIDE = isAble ? "" : " (skipped: needs root, and mount namespaces)";
const CONTEXT = "system_u:system_r:svirt_t:s0:c1,c2";
const LABEL = "system_u:object_r:svirt_image_t:s0:c1,c2";

/** Files of /proc that the test's program needs beside its attributes. */
const LINKED = "fd maps status stat limits task exe environ cmdline";

/**
 * Returns the output of a shell script that is run as a guest's program, with this input. `before` is run in
 * the test's program, and its function `report` shows text.
 */
function readConfined(
  folder: RealFolder,
  script: string,
  {
    before = "",
    deadlineMs = 30_000,
    input,
  }: { readonly before?: string; readonly deadlineMs?: number; readonly input?: string } = {},
): unknown {
  for (const name of ["log", "proc"]) mkdirSync(`${folder.path}/${name}`, { recursive: true });
  for (const name of ["exec", "fscreate"]) folder.file(name);
  const confined = { context: CONTEXT, inputLabel: LABEL };
  const words = ["/bin/sh", "-c", script];
  const call = {
    words,
    folder: `${folder.path}/log`,
    hasKvm: false,
    confined,
    ...(input === undefined ? {} : { input }),
  };
  const program = `import { readProbeWithin } from "${MODULE}";
    const shown = [];
    const report = (text) => shown.push(text);
    ${before}
    const read = readProbeWithin({ deadlineMs: ${deadlineMs}, mostBytes: 4096 });
    const found = await read(${JSON.stringify(call)});
    process.stdout.write(JSON.stringify({ found: shown.length === 0 ? found : { ...found, shown } }));`;
  const shell = `set -e
    mount --rbind /proc "$1/proc"
    mount -t tmpfs none /proc
    for each in self thread-self; do
      mkdir -p /proc/$each/attr
      for name in exec fscreate; do ln -s "$1/$name" /proc/$each/attr/$name; done
      for name in ${LINKED}; do ln -s "$1/proc/$each/$name" /proc/$each/$name; done
    done
    exec "$0" -e "$2"`;
  const line = ["unshare", "-m", "sh", "-c", shell, process.execPath, folder.path, program];
  const child = Bun.spawnSync(line);
  if (!child.success) throw new Error(child.stderr.toString());
  return (JSON.parse(child.stdout.toString()) as { readonly found?: unknown }).found;
}

describe.skipIf(!isAble)(`a confined program${ASIDE}`, () => {
  test("is read, from a file of the guest's label, and leaves none; the context of files is cleared", () => {
    using folder = new RealFolder();
    expect(readConfined(folder, "exec cat", { input: "given\n" })).toEqual({ text: "given\n" });
    const [exec, file] = ["exec", "fscreate"].map((name) => readFileSync(`${folder.path}/${name}`, "utf8"));
    expect([exec, file]).toEqual([`${CONTEXT}\0`, `\n${LABEL.slice(1)}\0`]);
    expect(readdirSync(`${folder.path}/log`)).toEqual([".probe.lock"]);
  });

  test("has an empty input where it is given none, and no variables but those that it needs", () => {
    using folder = new RealFolder();
    expect(readConfined(folder, "read -r x; exec env")).toEqual({
      text: expect.stringContaining("PATH=/usr/bin:/bin\n"),
    });
    expect(readConfined(folder, "echo $LC_ALL $HOME")).toEqual({ text: "C\n" });
  });

  test("alone has a limit on its files: svirt, which other calls use meanwhile, has none", () => {
    using folder = new RealFolder();
    const size = /^Max file size +(\S+)/m;
    const before = `const { readFileSync } = await import("node:fs");
      const spawn = Bun.spawn;
      const look = () => report(${size}.exec(readFileSync("/proc/self/limits", "utf8"))[1]);
      Bun.spawn = (...words) => { look(); const started = spawn(...words); look(); return started; };`;
    const own = size.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    expect(readConfined(folder, "ulimit -S -f", { before })).toEqual({
      text: "8\n",
      shown: [own, own],
    });
  });

  test("gives nothing when it fails, writes too much or goes on for ever", () => {
    using folder = new RealFolder();
    for (const [script, why] of [
      ["echo x; exit 3", { fault: "failed", code: 3 }],
      ["exec head -c 5000 /dev/zero", { fault: "too-long" }],
    ] as const)
      expect([script, readConfined(folder, script)]).toEqual([script, why]);
    expect(readConfined(folder, "exec sleep 60", { deadlineMs: 1000 })).toEqual({ fault: "timeout" });
    const line = "x".repeat(15);
    expect(readConfined(folder, `n=256; while [ $n -gt 0 ]; do echo ${line}; n=$((n - 1)); done`)).toEqual({
      text: `${line}\n`.repeat(256),
    });
    expect(readdirSync(`${folder.path}/log`)).toEqual([".probe.lock"]);
  });
});

import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readOutput, readOutputWithin } from "../../../../src/host/linux/processes/read-output.ts";
import type { ProgramOutput } from "../../../../src/host/processes.ts";

const folder = mkdtempSync(join(tmpdir(), "svirt-output-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Longer than a program of these tests takes on a busy machine. */
const LONG_MS = 30_000;
const limits = (deadlineMs: number) => ({ deadlineMs, mostBytes: 65_536 });
const read = async (script: string, deadlineMs = LONG_MS): Promise<ProgramOutput> =>
  await readOutputWithin(limits(deadlineMs))(["/bin/sh", "-c", script]);

test("readOutput() gives what a program prints, from what it is given", async () => {
  expect(await readOutput(["/bin/cat"], "word")).toEqual({ text: "word" });
  expect(await readOutput(["/nonexistent"])).toEqual({ fault: "failed" });
  expect(await readOutput(["/bin/false"])).toEqual({ fault: "failed", code: 1 });
  expect(await readOutput(["/bin/sh", "-c", "exit 21"])).toEqual({ fault: "failed", code: 21 });
});

// Each program would outlast the limit: the end of the test is the proof.
test.each([
  ["sleeps", "exec sleep 60", "timeout"],
  ["ignores signals", "trap '' TERM INT HUP; while :; do sleep 60; done", "timeout"],
  ["prints without end", "exec cat /dev/zero", "too-long"],
  ["stops itself", "kill -STOP $$", "timeout"],
  ["kills itself", "kill -KILL $$", "failed"],
] as const)(
  "readOutput() ends a program that %s, and says why it gives nothing",
  async (_, script, fault) => {
    expect(await read(script, fault === "timeout" ? 500 : LONG_MS)).toEqual({ fault });
  },
);

// Each program leaves a process that would go on for a minute, and whose number it writes to a file.
test.each([
  ["its child", "sleep 60 & echo $! >PID; wait"],
  ["its child's child, whose parent has ended", "(sleep 60 & echo $! >PID) ; sleep 60"],
  ["its child in a session of its own", "setsid sh -c 'echo $$ >PID; exec sleep 60' & wait"],
  ["its child that ignores signals", "sh -c 'trap \"\" TERM HUP; echo $$ >PID; sleep 60; :' & wait"],
  ["what it leaves behind when it ends", "(setsid sleep 60 & echo $! >PID) ; echo said"],
])("readOutput() ends %s", async (_, script) => {
  const file = join(folder, "pid");
  rmSync(file, { force: true });
  // Enough for a busy machine to start it.
  await read(script.replaceAll("PID", file), 2000);
  const pid = readFileSync(file, "utf8").trim();
  expect(pid).toMatch(/^\d+$/);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});

/** Lists the children of this process, also those that have ended. proc_pid_stat(5) */
function listChildren(): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const parent = readFileSync(`/proc/${name}/stat`, "utf8").split(") ").at(-1)?.split(" ")[1];
      return parent === String(process.pid);
    } catch {
      return false;
    }
  });
}

test("readOutput() leaves no child of svirt that has ended, and none that another child left", async () => {
  const before = listChildren();
  await read("for each in $(seq 30); do (sleep 60 & sleep 60) & done; wait", 500);
  // A child of an earlier test may have ended.
  expect(listChildren().filter((child) => !before.includes(child))).toEqual([]);
});

// Again and again: a child may start in the same tick of the clock as the program.
test("readOutput() leaves other children of svirt alone", async () => {
  for (let tries = 0; tries < 5; tries += 1) {
    await using other = Bun.spawn(["/bin/sleep", "60"]);
    expect(await read("sleep 60 & echo said")).toEqual({ text: "said\n" });
    expect(existsSync(`/proc/${other.pid}`)).toBe(true);
    await Bun.sleep(0);
    expect([other.exitCode, other.signalCode]).toEqual([null, null]);
  }
});

test("readOutput() gives a program no variables of svirt's", async () => {
  const output = await readOutput(["/usr/bin/env"]);
  expect("text" in output && output.text.split("\n").toSorted()).toEqual([
    "",
    "LC_ALL=C",
    "PATH=/usr/bin:/bin",
  ]);
});

test("readOutput() does not wait for what a program has left behind, which has its output open", async () => {
  expect(await read("sleep 30 & echo said")).toEqual({ text: "said\n" });
});

const SETPRIV = "/usr/bin/setpriv";
const lack = process.getuid?.() === 0 && existsSync(SETPRIV) ? "" : " (skipped: needs root and setpriv)";

// kill(2): without CAP_KILL a process may not signal one of another user.
test.skipIf(lack !== "")(
  `readOutput() ends each process that it may, besides one that it may not${lack}`,
  () => {
    const [held, other] = [join(folder, "held"), join(folder, "other")];
    const left = `${SETPRIV} --reuid 65534 --clear-groups sleep 60 & echo $! >${held}; until grep -q '^Uid:.65534' /proc/$!/status; do sleep 0.01; done; (sleep 60 & echo $! >${other}); echo said`;
    const module = new URL("../../../../src/host/linux/processes/read-output.ts", import.meta.url).pathname;
    const script = `const { readOutputWithin } = await import(${JSON.stringify(module)}); console.log(JSON.stringify(await readOutputWithin(${JSON.stringify(limits(LONG_MS))})(["/bin/sh", "-c", ${JSON.stringify(left)}])))`;
    const words = [SETPRIV, "--bounding-set=-kill", "--inh-caps=-kill", process.execPath, "-e", script];
    const { exitCode, stdout } = Bun.spawnSync(words);
    const [heldPid, otherPid] = [held, other].map((file) => readFileSync(file, "utf8").trim());
    const alive = [heldPid, otherPid].map((pid) => existsSync(`/proc/${pid}`));
    process.kill(Number(heldPid), "SIGKILL");
    expect([exitCode, stdout.toString(), alive]).toEqual([0, '{"fault":"failed"}\n', [true, false]]);
  },
);

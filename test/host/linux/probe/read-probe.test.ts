// In turn: it takes seconds of a processor.
import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readProbe, readProbeWithin } from "../../../../src/host/linux/probe/read-probe.ts";
import { processCalls } from "../../../../src/host/linux/processes/processes.ts";
import type { ProgramOutput } from "../../../../src/host/processes.ts";
import { PROBE_USER } from "../../../../src/plan/facts/guest-user.ts";
import {
  EMULATOR_QUESTIONS,
  parseEmulatorFacts,
  probeArguments,
} from "../../../../src/qemu/monitor/emulator-facts.ts";

const folder = mkdtempSync(join(tmpdir(), "svirt-probe-"));
// The user of probes must reach the program.
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

const SOURCE = new URL("../../../node/hostile-emulator/hostile.c", import.meta.url).pathname;
const HOSTILE = join(folder, "hostile");
const isBuilt = Bun.which("gcc") !== null && build();
const isRoot = process.getuid?.() === 0;
const lack = isRoot && isBuilt ? "" : " (skipped: needs root and gcc)";
const SETPRIV = "/usr/bin/setpriv";
const QEMU = "/usr/bin/qemu-system-x86_64";

function build(): boolean {
  const words = [
    "-std=gnu11",
    "-O2",
    "-static",
    "-pthread",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-o",
    HOSTILE,
    SOURCE,
  ];
  return Bun.spawnSync(["gcc", ...words]).success;
}

const LIMITS = { deadlineMs: 20_000, mostBytes: 1024 * 1024 };

async function probe(words: readonly string[], limits = LIMITS): Promise<ProgramOutput> {
  return await readProbeWithin(limits)({ words, folder, hasKvm: false });
}

function linesOf(output: ProgramOutput): readonly string[] {
  return "text" in output ? output.text.trim().split("\n") : [output.fault];
}

/** Names of the attacks that succeeded, and of the refused ones. */
function tried(lines: readonly string[]): { readonly got: string[]; readonly refused: string[] } {
  const of = (end: string) =>
    lines.flatMap((line) => (line.endsWith(`=${end}`) ? [line.slice(0, -end.length - 1)] : []));
  return { got: of("GOT"), refused: of("refused") };
}

describe.skipIf(lack !== "")(`a program that readProbe() runs${lack}`, () => {
  test("has no rights, descriptors or variables of svirt's, and limits", async () => {
    const lines = linesOf(await probe([HOSTILE, "all", join(folder, "mark")]));
    const ids = Array.from({ length: 4 }, () => PROBE_USER).join("\t");
    const none = "0".repeat(16);
    const expected = [
      ...[`Uid:\t${ids}`, `Gid:\t${ids}`, "NoNewPrivs:\t1", "Seccomp:\t2"],
      ...["Inh", "Prm", "Eff", "Bnd", "Amb"].map((set) => `Cap${set}:\t${none}`),
      ...["limit core 0 0", "limit cpu 20 20", "limit fsize 1048576 1048576", "limit nofile 64 64"],
      ...["limit nproc 32 32", `limit as ${4 * 1024 ** 3} ${4 * 1024 ** 3}`],
      ...["descriptors 0", "cwd /", "session 1", "env LC_ALL=C", "env PATH=/usr/bin:/bin"],
    ];
    expect(expected.filter((line) => !lines.includes(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith("env "))).toHaveLength(2);
    expect(lines.find((line) => line.startsWith("Groups:"))?.trim()).toBe("Groups:");
    expect(Number(lines.find((line) => line.startsWith("threads "))?.slice(8))).toBeLessThan(32);
    expect(Number(lines.find((line) => line.startsWith("memory "))?.slice(7))).toBeLessThanOrEqual(4096);
  });

  test("gets nothing of the host, which unconfined root gets by the same program", async () => {
    const own = tried(linesOf(await probe([HOSTILE, "all", join(folder, "mark")])));
    expect(own.got).toEqual([]);
    // In a mount namespace of its own, since it mounts.
    const words = ["unshare", "--mount", "--propagation", "private", HOSTILE, "all", join(folder, "mark")];
    const root = tried(Bun.spawnSync(words).stdout.toString().split("\n"));
    expect([...root.got, ...root.refused].toSorted()).toEqual(own.refused.toSorted());
    // A kernel may lack these, or refuse them to root too.
    const OTHERS = ["mem", "mem-write", "x32", "keyring", "bpf", "io-uring", "trace-parent"];
    expect(root.refused.filter((name) => !OTHERS.includes(name))).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith("mark"))).toEqual([]);
  });

  test.each([
    ["sleeps and ignores signals", "sleep", { fault: "timeout" }],
    ["computes without end", "spin", { fault: "timeout" }],
    ["prints without end", "print", { fault: "too-long" }],
    ["forks without end", "bomb", { fault: "timeout" }],
  ] as const)("that %s is ended, and nothing of it is left", async (_, word, expected) => {
    expect(await probe([HOSTILE, word], { ...LIMITS, deadlineMs: 1500 })).toEqual(expected);
    expect(processCalls.listProcesses(PROBE_USER)).toEqual([]);
    expect(readdirSync(folder).toSorted()).toEqual([".probe.lock", "hostile"]);
  });

  test("that flees from its parent has nothing that goes on", async () => {
    expect(await probe([HOSTILE, "flee"])).toEqual({ text: "" });
    expect(processCalls.listProcesses(PROBE_USER)).toEqual([]);
  });

  test("does not outlive svirt, and a later probe ends what is left", async () => {
    const module = new URL("../../../../src/host/linux/probe/read-probe.ts", import.meta.url).pathname;
    const order = JSON.stringify({ words: [HOSTILE, "sleep"], folder, hasKvm: false });
    const script = `await (await import(${JSON.stringify(module)})).readProbe(${order})`;
    const killed = Bun.spawn([process.execPath, "-e", script]);
    while (processCalls.listProcesses(PROBE_USER).every(({ command }) => command !== "hostile"))
      await Bun.sleep(5);
    killed.kill("SIGKILL");
    await killed.exited;
    while (processCalls.listProcesses(PROBE_USER).length > 0) await Bun.sleep(5);
    // As a probe in an SELinux domain, whose change clears the signal at the parent's end.
    // PR_SET_PDEATHSIG(2const)
    const user = String(PROBE_USER);
    await using left = Bun.spawn([
      SETPRIV,
      "--reuid",
      user,
      "--regid",
      user,
      "--clear-groups",
      HOSTILE,
      "sleep",
    ]);
    while (processCalls.listProcesses(PROBE_USER).length === 0) await Bun.sleep(5);
    expect(linesOf(await probe([HOSTILE]))).toContain("fork=refused");
    expect(await left.exited).not.toBe(0);
    expect(left.signalCode).toBe("SIGKILL");
  });

  test("is the only one: two at once end both, each with its own output", async () => {
    const both = await Promise.all([probe([HOSTILE]), probe([HOSTILE])]);
    expect(both.map((output) => linesOf(output).includes("fork=refused"))).toEqual([true, true]);
  });

  test("by the calling user has that user's ID and the same confinement", async () => {
    const module = new URL("../../../../src/host/linux/probe/read-probe.ts", import.meta.url).pathname;
    const own = mkdtempSync(join(folder, "own-"));
    chmodSync(own, 0o777);
    const order = JSON.stringify({ words: [HOSTILE, "all", join(own, "mark")], folder: own, hasKvm: false });
    const script = `const { readProbe } = await import(${JSON.stringify(module)}); console.log(JSON.stringify(await readProbe(${order})))`;
    // That user may not reach the bun in root's home.
    const bun = join(own, "bun");
    copyFileSync(process.execPath, bun);
    chmodSync(bun, 0o755);
    const words = [SETPRIV, "--reuid", "65534", "--regid", "65534", "--clear-groups", bun, "-e", script];
    const { stdout } = Bun.spawnSync(words, { cwd: "/", env: { HOME: own, PATH: "/usr/bin:/bin" } });
    const lines = linesOf(JSON.parse(stdout.toString()));
    expect(lines).toContain("Uid:\t65534\t65534\t65534\t65534");
    expect(lines).toContain("Seccomp:\t2");
    expect(tried(lines).got).toEqual([]);
    rmSync(own, { recursive: true });
  });

  test("cannot run as a context that the kernel does not know, and leaves no file", async () => {
    if (existsSync("/sys/fs/selinux/enforce")) return;
    const confined = { context: "a:b:c:s0", inputLabel: "a:b:d:s0" };
    const words = [HOSTILE, "all"];
    expect(await readProbe({ words, folder, hasKvm: false, confined })).toEqual({
      fault: "failed",
      code: 127,
    });
    expect(await readProbe({ words, folder, hasKvm: false, confined, input: "input" })).toEqual({
      fault: "failed",
    });
    expect(readdirSync(folder).toSorted()).toEqual([".probe.lock", "hostile"]);
  });
});

test.skipIf(!isRoot)(
  "readProbe() gives what a program prints, its input, and why it gives nothing",
  async () => {
    expect(await readProbe({ words: ["/bin/cat"], input: "word", folder, hasKvm: false })).toEqual({
      text: "word",
    });
    expect(await probe(["/nonexistent"])).toEqual({ fault: "failed", code: 127 });
    expect(await probe(["/bin/false"])).toEqual({ fault: "failed", code: 1 });
    expect(await probe(["/bin/sh", "-c", "kill -KILL $$"])).toMatchObject({ fault: "failed" });
    writeFileSync(join(folder, "script"), "#!/bin/sh\necho said\n", { mode: 0o755 });
    expect(await probe([join(folder, "script")])).toEqual({ text: "said\n" });
    rmSync(join(folder, "script"));
  },
);

const kinds = (["kvm", "qemu"] as const).filter((type) => type === "qemu" || existsSync("/dev/kvm"));

test.skipIf(!existsSync(QEMU)).each(kinds)(
  "readProbe() has QEMU describe itself for guests of type %s",
  async (type) => {
    const words = probeArguments(QEMU, type);
    const given = { words, folder, hasKvm: type === "kvm" };
    const confined = await readProbe({ ...given, input: EMULATOR_QUESTIONS });
    // The same QEMU without any confinement.
    const free = Bun.spawnSync([...words], {
      stdio: [
        new TextEncoder().encode(EMULATOR_QUESTIONS),
        "pipe",
        "ignore",
        ...(type === "kvm" ? [openSync("/dev/kvm", "r+")] : []),
      ],
    });
    if ("fault" in confined) throw new Error(confined.fault);
    expect(parseEmulatorFacts(confined.text)).toEqual(parseEmulatorFacts(free.stdout.toString()));
  },
);

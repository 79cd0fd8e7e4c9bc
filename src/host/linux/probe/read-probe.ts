import { closeSync, constants, fstatSync, openSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { PROBE_USER } from "../../../plan/facts/guest-user.ts";
import type { Host } from "../../host.ts";
import type { Probe, ProgramOutput } from "../../processes.ts";
import { endOf } from "../calls/spawn-program.ts";
import { ownWords } from "../calls/svirt-command.ts";
import { waitForLock } from "../files/lock.ts";
import { setFileContext } from "../labels/selinux.ts";
import { withoutDescendants } from "../processes/descendants.ts";
import { processCalls } from "../processes/processes.ts";
import { faultOf, type OutputLimits, READ_ENVIRONMENT } from "../processes/read-output.ts";
import { PROBE_CHILD } from "./child-word.ts";
import type { ProbeOrder } from "./probe-child.ts";

/** QEMU describes itself, about 1 MiB, in a second, and in less than ten if it is emulated. */
const LIMITS: OutputLimits = { deadlineMs: 60_000, mostBytes: 16 * 1024 * 1024 };
/** Time for another svirt's probe and for the end of a killed one. */
const [LOCK_MS, KILL_MS, POLL_MS] = [120_000, 5000, 2] as const;
const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Implements Host.readProbe. */
export const readProbe = readProbeWithin(LIMITS);

/** Most repetitions of a killed probe. */
const MOST_REPETITIONS = 3;

/** Returns a readProbe() with these limits. */
export function readProbeWithin(limits: OutputLimits): Host["readProbe"] {
  return async (probe) => {
    const runAlone = async (): Promise<ProgramOutput> =>
      await alone(probe, async () => await withoutDescendants(async () => await run(limits, probe)));
    try {
      let output = await runAlone();
      // A svirt with another log folder has its own lock, and kills all processes of the user.
      for (let again = 0; wasKilled(output) && again < MOST_REPETITIONS; again += 1)
        output = await runAlone();
      return output;
    } catch {
      // The program is missing, or the policy denies it, or it cannot be confined: the caller decides.
      return { fault: "failed" };
    }
  };
}

function wasKilled(output: ProgramOutput): boolean {
  return "fault" in output && output.fault === "failed" && output.code === undefined;
}

/**
 * Runs `work` while no other svirt probes, and without processes of probes before and after it. They are a
 * user's of their own, so a probe that a killed svirt has left ends here.
 */
async function alone<Result>({ folder }: Probe, work: () => Promise<Result>): Promise<Result> {
  if (process.getuid?.() !== 0) return await work();
  const lock = await waitForLock(`${folder}/.probe.lock`, LOCK_MS);
  try {
    await endProbes();
    try {
      return await work();
    } finally {
      await endProbes();
    }
  } finally {
    closeSync(lock);
  }
}

/** Kills the processes of probes. None can make another one. */
async function endProbes(): Promise<void> {
  const deadline = performance.now() + KILL_MS;
  for (;;) {
    const left = processCalls.listProcesses(PROBE_USER);
    if (left.length === 0 || performance.now() > deadline) return;
    for (const one of left) processCalls.signalProcess(one, "SIGKILL");
    await Bun.sleep(POLL_MS);
  }
}

async function run(limits: OutputLimits, probe: Probe): Promise<ProgramOutput> {
  const opened: number[] = [];
  const open = (fd: number): number => {
    opened.push(fd);
    return fd;
  };
  try {
    const stdin = probe.input === undefined ? "ignore" : open(openInput(probe, probe.input));
    const { reader, writer } = openOutput(probe.folder, open);
    const kvm = probe.hasKvm ? [open(openSync("/dev/kvm", constants.O_RDWR))] : [];
    const order = orderOf(limits, probe, 3 + kvm.length);
    const program = Bun.spawn([...ownWords(), PROBE_CHILD, JSON.stringify(order)], {
      cwd: "/",
      env: READ_ENVIRONMENT,
      // A session of its own, without a terminal. setsid(2)
      detached: true,
      stdio: [stdin, writer, "ignore", ...kvm],
    });
    const { exceeded, exitCode } = await endOf(program, { timeoutMs: limits.deadlineMs });
    if (exitCode === 0 && exceeded === undefined) return { text: readFileSync(reader, "utf8") };
    // Not by SIGXFSZ: a program may ignore it.
    if (fstatSync(reader).size >= limits.mostBytes) return { fault: "too-long" };
    return faultOf(exceeded, exitCode);
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

function orderOf(
  { deadlineMs, mostBytes }: OutputLimits,
  { confined, words }: Probe,
  firstClosed: number,
): ProbeOrder {
  return {
    words,
    environment: Object.entries(READ_ENVIRONMENT).map(([name, value]) => `${name}=${value}`),
    ...(process.getuid?.() === 0 ? { uid: PROBE_USER } : {}),
    ...(confined === undefined ? {} : { context: confined.context }),
    parent: process.pid,
    firstClosed,
    mostBytes,
    cpuSeconds: Math.ceil(deadlineMs / 1000),
  };
}

/**
 * Opens a file without a name for the output: a guest's domain may append to one with svirt's label, and to
 * no pipe of svirt's.
 */
function openOutput(folder: string, open: (fd: number) => number): { reader: number; writer: number } {
  const path = `${folder}/.output-${process.pid}`;
  const writer = open(openSync(path, NEW_FILE | constants.O_WRONLY | constants.O_APPEND, 0o600));
  try {
    return { reader: open(openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)), writer };
  } finally {
    unlinkSync(path);
  }
}

/** Opens a file without a name, with a label that a guest may read, at its beginning. */
function openInput({ confined, folder }: Probe, input: string): number {
  const path = `${folder}/.input-${process.pid}`;
  if (confined !== undefined) setFileContext(confined.inputLabel);
  try {
    writeFileSync(path, input, { flag: "wx", mode: 0o600 });
  } finally {
    if (confined !== undefined) setFileContext("");
  }
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } finally {
    unlinkSync(path);
  }
}

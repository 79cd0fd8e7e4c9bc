import { closeSync, unlinkSync } from "node:fs";
import { REPORT_FAULT, SvirtError } from "../../../errors.ts";
import type { LaunchSpec, PassedSocket } from "../../../plan/facts/launch-spec.ts";
import type { ProcessId } from "../../processes.ts";
import { runBeside } from "../calls/program-turns.ts";
import { openPassed } from "../content/open-passed.ts";
import { readText, unlessMissing } from "../files/files.ts";
import { openTap } from "../network/open-tap.ts";
import { connectPeer } from "../sockets/connect-peer.ts";
import { listenUnix, listenWithin } from "../sockets/listen.ts";
import { openLog } from "./guest-log.ts";
import { getProcess } from "./process-facts.ts";
import { REAPER_SCRIPT } from "./reaper.ts";

/** First descriptor after stdin, stdout and stderr. */
const FIRST_PASSED = 3;
const PID_TIMEOUT_MS = 10_000;
const POLL_MS = 1;
/** Longest stop of bun's event loop, in POLL_MS. */
const TRIES_A_LOOK = 20;

/** Implements Host.spawnGuest. */
export async function spawnGuest(order: LaunchSpec): Promise<ProcessId> {
  for (const name of ["pid", "exit"])
    unlessMissing(`remove ${name}`, () => unlinkSync(`${order.folder}/${name}`));
  const passedNumbers = await openAll(order);
  try {
    return await runBeside(async () => await spawnReaper(order, passedNumbers));
  } finally {
    for (const fd of passedNumbers) closeSync(fd);
  }
}

async function spawnReaper(order: LaunchSpec, passedNumbers: readonly number[]): Promise<ProcessId> {
  const log = openLog(order.logFile);
  try {
    const end = FIRST_PASSED + passedNumbers.length;
    const words = [
      order.folder,
      process.execPath,
      order.uuid,
      // An ordinary user's guest runs as this user.
      order.uid === process.getuid?.() ? "" : String(order.uid),
      order.context ?? "",
      String(end),
      order.group ?? "",
      String(order.memlockKiB ?? ""),
      String(order.mostDescriptors ?? ""),
    ];
    const starter = Bun.spawn(
      ["/bin/sh", "-c", REAPER_SCRIPT, "svirt-reaper", ...words, order.program, ...order.words],
      {
        cwd: order.workFolder,
        env: { ...order.environment },
        // A separate session: the guest outlives its SSH session. setsid(2)
        detached: true,
        // A number may be another descriptor's in the guest: bun then copies it first.
        stdio: ["ignore", log, log, ...passedNumbers],
      },
    );
    starter.unref();
    // As long as it runs the reaper is below svirt, and would be taken for what another program has left.
    void runBeside(() => starter.exited);
    try {
      return await waitForPid(order, () => starter.exitCode);
    } catch (error) {
      starter.kill("SIGKILL");
      throw error;
    }
  } finally {
    closeSync(log);
  }
}

/**
 * Opens the descriptors in the order of their numbers, which must be consecutive: they become 3, 4, 5 ... in
 * the guest.
 */
async function openAll(order: LaunchSpec): Promise<readonly number[]> {
  const opened: number[] = [];
  try {
    for (const socket of order.sockets) opened.push(listenFor(order, socket));
    for (const peer of order.peers ?? []) opened.push(connectPeer(peer, order.uid));
    for (const file of order.files) opened.push(await openPassed(file));
    for (const tap of order.taps ?? []) opened.push(...openTap(tap).map(({ fd }) => fd));
    // Last: the reaper's shell may be able to close only the first descriptors.
    const events = listEventSockets(order);
    for (const socket of events) opened.push(listenFor(order, socket));
    const listed = [...order.sockets, ...(order.peers ?? []), ...order.files];
    const numbers = [...listed.map(fdOf), ...listTapFds(order), ...events.map(fdOf)];
    if (numbers.every((fd, at) => fd === FIRST_PASSED + at)) return opened;
    throw new SvirtError(`Cannot pass descriptors: ${numbers.join(", ")} are not consecutive`, {
      kind: "failed",
      remedy: REPORT_FAULT,
    });
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  }
}

function fdOf({ fd }: { readonly fd: number }): number {
  return fd;
}

function listEventSockets({ events }: LaunchSpec): readonly PassedSocket[] {
  return events === undefined ? [] : [events];
}

function listTapFds({ taps = [] }: LaunchSpec): number[] {
  return taps.flatMap(({ queues, vhosts }) => [...queues, ...vhosts]).map(Number);
}

function listenFor({ context }: LaunchSpec, { label, path, within }: PassedSocket): number {
  return within === undefined ? listenUnix(path, context) : listenWithin(within, path, { context, label });
}

async function waitForPid(order: LaunchSpec, getExitCode: () => number | null): Promise<ProcessId> {
  const deadline = performance.now() + PID_TIMEOUT_MS;
  for (let [tries, hasEnded] = [1, false]; performance.now() < deadline && !hasEnded; tries += 1) {
    // Asked before the file is read, since it is written before the end.
    hasEnded = getExitCode() !== null;
    const line = readText(`${order.folder}/pid`);
    if (line?.endsWith("\n")) {
      const pid = Number(line);
      const found = getProcess(pid);
      // A process that has already ended still gets a number; its monitor does not answer.
      return { pid, startTicks: found?.startTicks ?? 0 };
    }
    // Only the event loop reports the reaper's end; an idle loop takes the processor from the reaper
    // (ready.ts).
    if (tries % TRIES_A_LOOK === 0) await Bun.sleep(POLL_MS);
    else Bun.sleepSync(POLL_MS);
  }
  throw new SvirtError(`Cannot start ${order.program}: its reaper did not report a process ID`, {
    kind: "failed",
    remedy: `See ${order.logFile}, and install setpriv (util-linux) and /bin/sh if they are missing.`,
  });
}

import { asSvirtError, HEED_QEMU, SEE_QEMU_LOG, SvirtError } from "../../errors.ts";
import type { ProcessFacts } from "../../host/processes.ts";
import { isGuestUser } from "../../plan/facts/guest-user.ts";
import { guestPaths } from "../../plan/paths.ts";
import { listGuestProcesses } from "../../run/process/kill-guest.ts";
import type { StepObserver } from "../../run/steps/run-plan.ts";
import { addSocketIds } from "../../run/steps/socket.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, identityOf, placeRecord, stageRecord, writeRecord } from "../../state/record.ts";
import { undoStart } from "../end/undo-start.ts";
import { runLaunch } from "./run-preparation.ts";

const LOG_LINES = 3;
const LOG_BYTES = 4096;

/**
 * Runs the rest of a start, from its processes on. The guest then runs, and its record says so. On any
 * failure all completed steps are undone. Throws the errors of the steps, with the end of QEMU's log.
 */
export async function launchGuest(
  instance: Instance,
  guest: GuestRecord,
  observer: StepObserver,
): Promise<GuestRecord> {
  let staged: GuestRecord | undefined;
  let launched = guest;
  try {
    const terminals = await runLaunch(instance, guest, (moment, step, at) => {
      observer(moment, step, at);
      if (moment !== "after" || step.do !== "spawn") return;
      launched = { ...guest, steps: addSocketIds(instance.host, guest.steps) };
      // Staged while QEMU starts: later, the write would make the start longer.
      if (guest.change === undefined) staged = stageRunning(instance, launched);
    });
    const process = findGuestProcess(instance, guest);
    if (process === undefined)
      throw new SvirtError("Cannot start the guest: QEMU ended immediately", {
        kind: "failed",
        remedy: SEE_QEMU_LOG,
      });
    const running = runningRecord(launched, process, terminals);
    if (terminals.size === 0 && isSame(staged?.process, running.process)) placeRecord(instance, guest.uuid);
    else writeRecord(instance, running);
    return running;
  } catch (error) {
    const withLog = await addLog(instance, guest, error);
    await undoStart(instance, launched, withLog);
    throw withLog;
  }
}

/**
 * Stages the guest's most likely record: the process reported by its reaper becomes QEMU by execve(2), so its
 * ID stays the same.
 */
function stageRunning(instance: Instance, guest: GuestRecord): GuestRecord | undefined {
  const told = toldProcess(instance, guest);
  if (told === undefined) return undefined;
  const running = runningRecord(guest, told, new Map());
  stageRecord(instance, running);
  return running;
}

function runningRecord(
  guest: GuestRecord,
  { pid, startTicks }: ProcessFacts,
  terminals: ReadonlyMap<string, string>,
): GuestRecord {
  return {
    ...guest,
    ...(terminals.size === 0 ? {} : { terminals: Object.fromEntries(terminals) }),
    state: "running",
    process: { pid, startTicks },
  };
}

function isSame(one: GuestRecord["process"], other: GuestRecord["process"]): boolean {
  return one !== undefined && one.pid === other?.pid && one.startTicks === other.startTicks;
}

function toldProcess({ host, paths }: Instance, { uuid }: GuestRecord): ProcessFacts | undefined {
  return host.getProcess(Number(host.readText(guestPaths(paths, uuid).pid) ?? "0"));
}

/**
 * Returns QEMU's process: by the pid that its reaper recorded if it has the guest's user, else by program
 * among the guest's processes.
 */
function findGuestProcess(instance: Instance, guest: GuestRecord): ProcessFacts | undefined {
  const { host } = instance;
  const told = toldProcess(instance, guest);
  if (told?.uid === guest.uid && isGuestUser(guest.uid)) return told;
  const program = guest.steps.find((step) => step.do === "spawn")?.order.program;
  return listGuestProcesses(host, identityOf(guest)).find(
    ({ pid }) => host.getCommandLine(pid)[0] === program,
  );
}

/** Adds the end of QEMU's log to the error: it is the best indication of why QEMU ended. */
async function addLog(instance: Instance, guest: GuestRecord, error: unknown): Promise<SvirtError> {
  const { kind, message, remedy } = asSvirtError(error);
  const path = `${instance.paths.log}/${guest.name}.log`;
  const log = await instance.host.readLogEnd(path, LOG_BYTES);
  const said = (log ?? "").trimEnd().split("\n").slice(-LOG_LINES).join(" | ");
  if (guest.enforcing && guest.label.label === undefined && said.includes("Permission denied")) {
    return new SvirtError(
      `Cannot start the guest: the SELinux policy does not allow svirt to run QEMU unconfined; ${said}`,
      {
        kind: "denied",
        cause: error,
        remedy: "Remove <seclabel type='none'/> from its XML: svirt then confines the guest.",
      },
    );
  }
  const words = said === "" ? message : `${message}; the end of its log: ${said}`;
  return new SvirtError(words, {
    kind,
    cause: error,
    remedy: remedyOf(said) ?? (remedy === SEE_QEMU_LOG || remedy === HEED_QEMU ? `See ${path}` : remedy),
  });
}

/** Returns the remedy for a QEMU without the driver of an image. qemu.git block.c bdrv_fill_options() */
function remedyOf(said: string): string | undefined {
  const driver = /: Unknown driver '([a-z]+)'$/.exec(said)?.[1];
  return driver === undefined
    ? undefined
    : `Install QEMU's driver of ${driver}. In Debian: apt install qemu-block-extra`;
}

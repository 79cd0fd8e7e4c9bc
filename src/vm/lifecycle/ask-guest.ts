import { guestPaths } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import { NO_OBSERVER, runPlan } from "../../run/steps/run-plan.ts";
import { actorFor } from "../../state/actor-for.ts";
import type { Instance } from "../../state/instance.ts";
import { withGuestLock } from "../../state/locks.ts";
import { type GuestRecord, isWritten, writeRecord } from "../../state/record.ts";
import { findRunning } from "../guest/find-domain.ts";
import { withMonitor } from "../guest/guest-monitor.ts";
import { askState } from "../query/guest-state.ts";

/**
 * Stops the vCPUs. vCPUs that are already stopped are not an error. Throws "wrong-state" if the guest is off.
 */
export async function suspendGuest(instance: Instance, key: string): Promise<{ name: string }> {
  return await withRunning(instance, key, async (guest) => {
    const state = await askedState(instance, guest);
    await runPlan(actorFor(instance, guest), suspension(instance, guest), NO_OBSERVER);
    if (state === "running") recordTold(instance, guest, "pause");
  });
}

/** Returns the steps of suspendGuest(), and changes nothing. Throws "not-found", "wrong-state". */
export function planSuspension(instance: Instance, key: string): { readonly steps: readonly Step[] } {
  return { steps: suspension(instance, findRunning(instance, key).guest) };
}

/** QEMU is told also if the vCPUs have stopped by themselves: then they stay stopped. */
function suspension({ paths }: Instance, { uuid }: GuestRecord): readonly Step[] {
  return [{ do: "pause", monitor: guestPaths(paths, uuid).monitor, wasRunning: true }];
}

/** Resumes the vCPUs. `did` is false if they already run. Throws "wrong-state" if the guest is off. */
export async function resumeGuest(
  instance: Instance,
  key: string,
): Promise<{ readonly name: string; readonly did: boolean }> {
  const { name, result } = await withRunning(instance, key, async (guest) => {
    const steps = await resumption(instance, guest);
    if (steps.length === 0) return false;
    await runPlan(actorFor(instance, guest), steps, NO_OBSERVER);
    recordTold(instance, { ...guest, unpaused: true }, "run");
    return true;
  });
  return { name, did: result };
}

/** Returns the steps of resumeGuest(), and changes nothing. Throws "not-found", "wrong-state", "timeout". */
export async function planResumption(
  instance: Instance,
  key: string,
): Promise<{ readonly steps: readonly Step[] }> {
  return { steps: await resumption(instance, findRunning(instance, key).guest) };
}

async function resumption(instance: Instance, guest: GuestRecord): Promise<readonly Step[]> {
  if ((await askedState(instance, guest)) === "running") return [];
  return [{ do: "unpause", monitor: guestPaths(instance.paths, guest.uuid).monitor }];
}

async function askedState(instance: Instance, guest: GuestRecord): Promise<string> {
  return (await withMonitor(instance, guest.uuid, (monitor) => askState(guest, monitor))).state;
}

/**
 * Records the guest's pause or continuation, after QEMU has done it: a client watching the record then finds
 * the new state. The caller holds the guest's lock. On a full disk, or if svirt is killed before, only this
 * report is missing.
 */
function recordTold(instance: Instance, guest: GuestRecord, to: "pause" | "run"): void {
  const told = { times: (guest.told?.times ?? 0) + 1, to };
  isWritten(() => writeRecord(instance, { ...guest, told }));
}

/**
 * Resets the guest's machine, as by its button. A reboot that was requested before is forgotten. Throws
 * "wrong-state" if the guest is off. qemuDomainReset() of libvirt
 */
export async function resetGuest(instance: Instance, key: string): Promise<{ readonly name: string }> {
  return await withRunning(instance, key, async ({ intent, ...guest }) => {
    await withMonitor(instance, guest.uuid, (monitor) => monitor.execute("system_reset"));
    if (intent === "reboot") writeRecord(instance, guest);
  });
}

/**
 * Sends a non-maskable interrupt to the guest, which may write a dump of itself. Throws "wrong-state" if the
 * guest is off.
 */
export async function injectNmi(instance: Instance, key: string): Promise<void> {
  const { guest } = findRunning(instance, key);
  await withMonitor(instance, guest.uuid, (monitor) => monitor.execute("inject-nmi"));
}

/**
 * Wakes a guest that has suspended itself to memory. Throws "wrong-state" if the guest is off; "failed" if it
 * does not sleep.
 */
export async function wakeGuest(instance: Instance, key: string): Promise<{ readonly name: string }> {
  const { guest, name } = findRunning(instance, key);
  await withMonitor(instance, guest.uuid, (monitor) => monitor.execute("system_wakeup"));
  return { name };
}

/** Presses keys of the guest's keyboard together, for `holdMs` or for QEMU's default of 100 ms. */
export async function pressKeys(
  instance: Instance,
  key: string,
  keys: { readonly qcodes: readonly string[]; readonly holdMs: number | undefined },
): Promise<void> {
  const { guest } = findRunning(instance, key);
  await withMonitor(instance, guest.uuid, (monitor) =>
    monitor.execute("send-key", {
      keys: keys.qcodes.map((data) => ({ type: "qcode", data })),
      ...(keys.holdMs === undefined ? {} : { "hold-time": keys.holdMs }),
    }),
  );
}

/**
 * Runs `work` under the lock of a running guest, found again once it is held: a guest cleaned up since must
 * not get a new record. Throws "not-found", "wrong-state".
 */
export async function withRunning<Result>(
  instance: Instance,
  key: string,
  work: (guest: GuestRecord) => Promise<Result>,
): Promise<{ readonly name: string; readonly result: Result }> {
  const { guest, name } = findRunning(instance, key);
  const result = await withGuestLock(instance, guest.uuid, () =>
    work(findRunning(instance, guest.uuid).guest),
  );
  return { name, result };
}

import { asSvirtError, SvirtError } from "../../errors.ts";
import { AgentRefusal } from "../../qemu/agent/answer.ts";
import { lockWithin } from "../../run/lock-within.ts";
import type { Instance } from "../../state/instance.ts";
import { tryLock, withFreeGuest, withGuestLock } from "../../state/locks.ts";
import { type GuestRecord, isRunning, readRecord, writeRecord } from "../../state/record.ts";
import { DEFAULT_TIMEOUT_MS } from "../agent/agent-timeout.ts";
import { AgentBusy } from "../agent/ask-agent.ts";
import { findRunning } from "../guest/find-domain.ts";
import { askSystem } from "./ask-system.ts";
import { freezeFileSystems, thawFileSystems } from "./guest-files.ts";

// Rule: File systems that an agent has frozen are thawed in any case.

/**
 * Longest wait for each lock while the file systems are frozen: programs in the guest that write wait, too.
 */
const FROZEN_LOCK_MS = 2000;

/**
 * Runs `work` while the file systems of a running guest are frozen by its agent. The agent thaws them in any
 * case, unless `work` ends the guest. `work` gets an instance with a wait of 2 s at most for each lock.
 * Signals for svirt's end wait for the thaw. If svirt is killed, the next call has them thawed. Throws
 * "wrong-state" if they are frozen already or another call does the same, the agent's errors, and the errors
 * of `work`; "failed" if `work` is done and the agent does not thaw them.
 */
export async function withQuietGuest(
  instance: Instance,
  uuid: string,
  work: (quick: Instance) => Promise<void>,
): Promise<void> {
  const release = await tryLock(instance, uuid, "quiesce");
  if (release === undefined) throw alreadyFrozen();
  try {
    await refuseFrozen(instance, uuid);
    await markFrozen(instance, uuid, true);
    await instance.host.deferSignals(() => workFrozen(instance, uuid, work));
  } finally {
    release();
  }
}

async function workFrozen(
  instance: Instance,
  uuid: string,
  work: (quick: Instance) => Promise<void>,
): Promise<void> {
  await freeze(instance, uuid);
  let error: unknown;
  await work({ ...instance, host: lockWithin(instance.host, FROZEN_LOCK_MS) }).catch((thrown: unknown) => {
    error = thrown;
  });
  await thaw(instance, uuid, error);
  if (error !== undefined) throw error;
}

/**
 * Has the agent thaw the file systems left frozen by a killed svirt. It tries once: a silent agent must not
 * delay every later call. Throws "failed" then. Without a turn at the agent, or the guest's lock, the next
 * call tries again.
 */
export async function thawLeft(instance: Instance, uuid: string): Promise<void> {
  const release = await tryLock(instance, uuid, "quiesce");
  // Another svirt takes the snapshot.
  if (release === undefined) return;
  try {
    const guest = findFrozen(instance, uuid);
    if (guest === undefined) return;
    try {
      await askSystem({ instance, guest }, "guest-fsfreeze-thaw", { timeoutMs: DEFAULT_TIMEOUT_MS });
    } catch (error) {
      if (!(error instanceof AgentBusy))
        await withFreeGuest(instance, uuid, async () => clearMark(instance, uuid));
      throw stillFrozen(guest.name, "a snapshot was interrupted", error);
    }
    await withFreeGuest(instance, uuid, async () => clearMark(instance, uuid));
  } finally {
    release();
  }
}

/**
 * Returns the record of a running guest with the note; undefined if it has ended, or another guest has its
 * UUID.
 */
function findFrozen(instance: Instance, uuid: string): GuestRecord | undefined {
  const guest = readRecord(instance, uuid);
  return guest?.frozen === true && isRunning(instance, guest) ? guest : undefined;
}

/** Removes the note of a running guest. The caller holds the guest's lock. */
function clearMark(instance: Instance, uuid: string): void {
  const found = findFrozen(instance, uuid);
  if (found === undefined) return;
  const { frozen: _, ...guest } = found;
  writeRecord(instance, guest);
}

async function freeze(instance: Instance, uuid: string): Promise<void> {
  try {
    await freezeFileSystems(instance, uuid, []);
  } catch (error) {
    // An agent that refuses has frozen nothing. After all else, it may have, or may do so still.
    if (error instanceof AgentRefusal) await markFrozen(instance, uuid, false);
    else await thaw(instance, uuid, error);
    throw error;
  }
}

/**
 * Throws "failed" if the agent does not thaw; the record then says so, and the next call tries again. A guest
 * that has ended is not asked.
 */
async function thaw(instance: Instance, uuid: string, error: unknown): Promise<void> {
  const guest = findFrozen(instance, uuid);
  if (guest === undefined) return;
  try {
    await thawFileSystems(instance, uuid);
  } catch (thrown) {
    if (findFrozen(instance, uuid) === undefined) return;
    const { message } = asSvirtError(error ?? thrown);
    const why = error === undefined ? "the snapshot is taken" : message;
    throw stillFrozen(guest.name, why, thrown);
  }
  await markFrozen(instance, uuid, false);
}

async function refuseFrozen(instance: Instance, uuid: string): Promise<void> {
  const { guest } = findRunning(instance, uuid);
  // Not the guest's own time, which may have no limit: other snapshots wait meanwhile.
  const options = { timeoutMs: DEFAULT_TIMEOUT_MS };
  if ((await askSystem({ instance, guest }, "guest-fsfreeze-status", options)) === "frozen")
    throw alreadyFrozen();
}

async function markFrozen(instance: Instance, uuid: string, isFrozen: boolean): Promise<void> {
  await withGuestLock(instance, uuid, async () => {
    if (!isFrozen) return clearMark(instance, uuid);
    // Read again: a guest cleaned up since must not get a new record.
    writeRecord(instance, { ...findRunning(instance, uuid).guest, frozen: true });
  });
}

function alreadyFrozen(): SvirtError {
  return new SvirtError("Requested operation is not valid: the guest's file systems are frozen already", {
    kind: "wrong-state",
    remedy: "Thaw them first: svirt domfsthaw DOMAIN",
  });
}

function stillFrozen(name: string, why: string, cause: unknown): SvirtError {
  const { message } = asSvirtError(cause);
  return new SvirtError(`Cannot thaw the file systems of ${name}: ${message}; ${why}`, {
    kind: "failed",
    libvirt: "AGENT_UNRESPONSIVE",
    remedy: `Thaw them, or reset the guest: svirt domfsthaw ${name}`,
    cause,
  });
}

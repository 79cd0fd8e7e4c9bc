import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import { offerLevel, withLevel } from "../../labelling/guest-level.ts";
import { listUnseen, withLooks } from "../../labelling/inspect-unlocked.ts";
import type { Incoming } from "../../plan/facts/file.ts";
import type { Step } from "../../plan/steps/step.ts";
import { bindToHost } from "../../resolve/bind-to-host.ts";
import {
  type CompletedDomain,
  completeBytes,
  completeDefinition,
} from "../../resolve/completed-definition.ts";
import { makeTpmHome } from "../../resolve/host/tpm-emulator.ts";
import { makeNvramFolder } from "../../resolve/host-firmware.ts";
import { chooseDevicesAgain } from "../../resolve/networks.ts";
import { type ResolvedDomain, resolveDomain } from "../../resolve/resolve-domain.ts";
import { withNewOverlays } from "../../resolve/transient-disks.ts";
import { NO_OBSERVER, type StepObserver } from "../../run/steps/run-plan.ts";
import { refuseTakenPaths } from "../../run/steps/socket.ts";
import type { Definition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { withGuestLock } from "../../state/locks.ts";
import { newRecord, plannedRecord } from "../../state/new-record.ts";
import { removePendingRestart } from "../../state/pending-restart.ts";
import { type GuestRecord, isRunning, readRecord, writeRecord } from "../../state/record.ts";
import { reasonOf } from "../../state/shutoff-reason.ts";
import { endGuest } from "../end/end-guest.ts";
import { notingFailure, undoStart } from "../end/undo-start.ts";
import { refuseChanging } from "../guest/changing-device.ts";
import { refuseConflict } from "../guest/refuse-conflict.ts";
import { planHostDetach, withDetachedDevices } from "../node-device/detach-from-host.ts";
import { type Beginning, decideStart, type Written } from "./decide-start.ts";
import { launchGuest } from "./launch-guest.ts";
import { type MountingStart, mayNeedMounts, withOwnMounts } from "./own-mounts.ts";
import { refuseChanged } from "./refuse-changed.ts";
import { runPreparation } from "./run-preparation.ts";
import { startable } from "./startable.ts";

/** A guest that runs now; `did` is false if it already ran. */
export interface Started {
  readonly did: boolean;
  readonly guest: GuestRecord;
}

/** How to start a domain. */
export interface StartOptions extends Pick<Beginning, "isPaused" | "discards"> {
  readonly observer?: StepObserver;
}

/**
 * Starts a domain, confined as its XML and the host's policy require. On any failure all completed steps are
 * undone before this throws. Throws the errors of the decisions and of the host.
 */
export async function startDomain(
  instance: Instance,
  bytes: Uint8Array,
  how: StartOptions = {},
): Promise<Started> {
  return await begin(instance, await completeBytes(instance, bytes), { observer: NO_OBSERVER, ...how });
}

/**
 * Starts a defined domain, as startDomain() does. If its completed form is stored, the XML is not parsed
 * again.
 */
export async function startDefinition(
  instance: Instance,
  definition: Definition,
  how: StartOptions = {},
): Promise<Started> {
  const completed = await completeDefinition(instance, definition);
  return await begin(instance, completed, { observer: NO_OBSERVER, ...how, definition });
}

/**
 * Starts a domain with a saved state. A failure before the state is loaded is undone. Throws "wrong-state" if
 * it runs.
 */
export async function startFromState(
  instance: Instance,
  bytes: Uint8Array,
  how: Pick<Beginning, "discards"> & { readonly incoming: Incoming; readonly observer?: StepObserver },
): Promise<Started> {
  const completed = await completeBytes(instance, bytes);
  const started = await begin(instance, completed, { ...how, observer: how.observer ?? NO_OBSERVER });
  if (started.did) return started;
  throw alreadyActive(started.guest.name);
}

/** Returns libvirt's refusal of a saved state for a guest that runs. */
export function alreadyActive(name: string): SvirtError {
  return new SvirtError(`Requested operation is not valid: domain '${name}' is already active`, {
    kind: "wrong-state",
    remedy: `End it first: svirt destroy ${name}`,
  });
}

interface HowToStart extends Beginning {
  readonly observer: StepObserver;
  /** The definition that is started, if any. */
  readonly definition?: Definition;
}

async function begin(instance: Instance, completed: CompletedDomain, how: HowToStart): Promise<Started> {
  const domain = await notingFailure(instance, completed.domain, () => startable(instance, completed.domain));
  return await withGuestLock(instance, domain.uuid, async () => {
    const before = readRecord(instance, domain.uuid);
    if (before !== undefined && isRunning(instance, before)) return { did: false, guest: before };
    if (before !== undefined) await endGuest(instance, before, { reason: reasonOf(instance, before) });
    refuseChanged(instance, how.definition);
    return await notingFailure(instance, domain, () => beginLocked(instance, { domain, completed }, how));
  });
}

/** Starts a guest that does not run. The caller holds its lock. */
async function beginLocked(
  instance: Instance,
  { completed, domain }: { readonly domain: Domain; readonly completed: CompletedDomain },
  how: HowToStart,
): Promise<Started> {
  const bound = bindToHost(instance.host, domain);
  instance.host.makeFolder({ path: instance.paths.log, mode: 0o700 });
  makeTpmHome(instance, bound);
  makeNvramFolder(instance, bound);
  const guest = await withLevel(instance, bound, async (offer) => {
    const prepared = await withNewOverlays(instance, domain.uuid, () =>
      withDetachedDevices(instance, { domain: bound, offer, observer: how.observer }, (detached) => {
        const mounting = { domain: bound, written: domain, offer, taken: detached, observer: how.observer };
        return withOwnMounts(instance, mounting, async (taken) => {
          const seen = resolveDomain(instance, bound, { makeMissing: true });
          return await prepare(instance, { ...mounting, completed, taken, ...seen, ...how });
        });
      }),
    );
    return await launchGuest(instance, prepared, how.observer);
  });
  if (bound.devices.disks !== domain.devices.disks) {
    const { noteMissingDisks } = await import("./missing-disks.ts");
    await noteMissingDisks(instance, guest, { written: domain, bound });
  }
  if (guest.change === undefined) return { did: true, guest };
  // The guest has its state: from here on no step is undone, and any later call may complete the start.
  const { length } = guest.steps;
  const { finishChange } = await import("../change/finish-change.ts");
  await finishChange(instance, guest, {
    observer: (moment, step, at) => how.observer(moment, step, length + at),
  });
  return { did: true, guest: readRecord(instance, guest.uuid) ?? guest };
}

/** Returns every step that a start would take now. Changes nothing. */
export async function planDomainStart(
  instance: Instance,
  bytes: Uint8Array,
  how: Beginning = {},
): Promise<readonly Step[]> {
  return (await planStarted(instance, bytes, how)).steps;
}

/** Returns every step that a start would take now, and the record that it would leave. Changes nothing. */
export async function planStarted(
  instance: Instance,
  bytes: Uint8Array,
  how: Beginning,
): Promise<{ readonly steps: readonly Step[]; readonly guest: GuestRecord }> {
  const completed = await completeBytes(instance, bytes);
  const domain = await startable(instance, completed.domain);
  const bound = bindToHost(instance.host, domain);
  const taken = planHostDetach(instance, bound);
  const seen = resolveDomain(instance, bound, { makeMissing: false, taken: taken.names });
  const offer = await offerLevel(instance, bound, { purpose: "plan", refused: new Set() });
  const mounting = { domain: bound, written: domain, offer, taken: taken.steps, observer: NO_OBSERVER };
  const mounts = await planMounts(instance, mounting);
  const start = { ...seen, ...how, written: domain, completed, offer };
  const decided = await decideStart(instance, bound, start);
  const steps = [...taken.steps, ...mounts, ...decided.steps];
  const guest = plannedRecord(instance, bound, { ...decided, steps });
  return { steps: [...steps, ...decided.after], guest };
}

async function planMounts(instance: Instance, start: MountingStart): Promise<readonly Step[]> {
  if (!mayNeedMounts(instance)) return [];
  const { planOwnMounts } = await import("./plan-own-mounts.ts");
  return planOwnMounts(instance, start);
}

/** Decides the start, records it, and runs all steps that two starts must not decide concurrently. */
async function prepare(
  instance: Instance,
  start: HowToStart & ResolvedDomain & Written & { readonly domain: Domain; readonly taken: readonly Step[] },
): Promise<GuestRecord> {
  const { taken, observer } = start;
  let record: GuestRecord | undefined;
  try {
    return await withLooks(instance, undefined, async (looks) => {
      // Checked under the lock for writing records: of two starts of the same name, the second sees the
      // first.
      refuseConflict(instance, start.domain);
      const domain = chooseDevicesAgain(instance, start.domain);
      const decided = await decideStart(instance, domain, start);
      refuseTakenPaths(instance.host, decided.steps);
      refuseChanging(instance, decided.steps, domain.uuid);
      const unseen = listUnseen(instance, decided.steps, { looks });
      if (unseen.length > 0) return { unseen };
      const whole = { ...decided, steps: [...taken, ...decided.steps] };
      record = newRecord(instance, domain, whole);
      writeRecord(instance, record);
      removePendingRestart(instance, domain.uuid);
      await runPreparation(instance, record, { observer, done: taken.length });
      return { result: record };
    });
  } catch (error) {
    if (record !== undefined) await undoStart(instance, record, error);
    throw error;
  }
}

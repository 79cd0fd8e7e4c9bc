import { asSvirtError, joinErrors, SvirtError } from "../errors.ts";
import type { ChangeSteps } from "../plan/hotplug-plan.ts";
import { settleSteps } from "../plan/settle-steps.ts";
import { isToldQemu, planUndo } from "../plan/step.ts";
import { isPlugged } from "../run/plug.ts";
import { runPlan, UNWATCHED, undo, type Watch } from "../run/run-plan.ts";
import { actorFor, withGuestLock, withRegistryLock } from "./clear-away.ts";
import { findRunning } from "./find-domain.ts";
import type { Node } from "./node.ts";
import { type GuestChange, type GuestRecord, isRunning, writeRecord } from "./record.ts";

/** What a change of a running guest was decided to be. */
export interface DecidedChange extends ChangeSteps {
  /** The guest's XML once it is done. */
  readonly xml: string;
}

/** A change that somebody asked for. */
export interface AskedChange {
  /** For a person: `attach vdb`. */
  readonly what: string;
  /** From the guest as it is now, under the registry's lock. */
  decide(guest: GuestRecord): DecidedChange;
}

/**
 * Changes a running guest: decided, written down, carried out. What fails is taken back before this throws; what could
 * only not be finished stays in the record for a later call. Throws what the decision and the host throw.
 */
export async function changeGuest(
  node: Node,
  uuid: string,
  { asked, watch = UNWATCHED }: { readonly asked: AskedChange; readonly watch?: Watch },
): Promise<void> {
  await withGuestLock(node, uuid, async () => {
    await settleChange(node, findRunning(node, uuid).guest);
    const { guest } = findRunning(node, uuid);
    const { change } = guest;
    if (change === undefined) return await carryOut(node, await writeDecision(node, guest, asked), watch);
    // The guest is asked once more to let go.
    if (change.what === asked.what) return await finish(node, { ...guest, change }, watch);
    throw new SvirtError(`Cannot change the guest ${guest.name}: it has not let go yet (${change.what})`, {
      kind: "wrong-state",
      remedy: "Detach that device in the guest, or ask it again by the same command.",
    });
  });
}

/**
 * Takes a change back that somebody was killed in, or finishes it. A guest that has yet to let go of a device is not
 * asked again and keeps its change. The caller holds the guest's lock.
 */
export async function settleChange(node: Node, guest: GuestRecord): Promise<void> {
  const { change } = guest;
  if (change === undefined || !isRunning(node, guest)) return;
  if (change.stage === "doing") return await takeBack(node, { ...guest, change });
  if (change.isAsked === true && (await isStillPlugged(node, change))) return;
  await finish(node, { ...guest, change }, UNWATCHED);
}

type ChangingGuest = GuestRecord & { readonly change: GuestChange };

async function writeDecision(node: Node, guest: GuestRecord, asked: AskedChange): Promise<ChangingGuest> {
  return await withRegistryLock(node, async () => {
    const { after, steps, xml } = asked.decide(guest);
    const stage = steps.length === 0 ? "finishing" : "doing";
    const change: GuestChange = { what: asked.what, stage, steps: [...steps], after: [...after], xml };
    const changing = { ...guest, change };
    writeRecord(node, changing);
    return changing;
  });
}

async function carryOut(node: Node, guest: ChangingGuest, watch: Watch): Promise<void> {
  try {
    await runSteps(node, guest, watch);
  } catch (error) {
    try {
      await takeBack(node, guest);
    } catch (later) {
      throw joinErrors(error, [later]);
    }
    throw error;
  }
  const { after, steps } = guest.change;
  const finishing: ChangingGuest = { ...guest, change: { ...guest.change, stage: "finishing" } };
  if (after.length > 0 && guest.change.stage === "doing") writeRecord(node, finishing);
  await finish(node, finishing, (moment, step, at) => watch(moment, step, steps.length + at));
}

/** Claims and labels under the registry's lock, and QEMU, which may take its time, without. */
async function runSteps(node: Node, guest: ChangingGuest, watch: Watch): Promise<void> {
  const { steps } = guest.change;
  const actor = actorFor(node, guest);
  const first = steps.findIndex(isToldQemu);
  const before = first === -1 ? steps : steps.slice(0, first);
  await withRegistryLock(node, () => runPlan(actor, before, watch));
  await runPlan(actor, steps.slice(before.length), (moment, step, at) =>
    watch(moment, step, before.length + at),
  );
}

async function takeBack(node: Node, guest: ChangingGuest): Promise<void> {
  const actor = actorFor(node, guest);
  const back = planUndo(guest.change.steps);
  const told = await undo(actor, back.filter(isToldQemu), UNWATCHED);
  // While QEMU may still use a file, its label must not change, nor anybody else be given it.
  if (told.errors.length > 0) throw joinErrors(told.errors[0], told.errors.slice(1));
  const rest = await withRegistryLock(node, () =>
    undo(
      actor,
      back.filter((step) => !isToldQemu(step)),
      UNWATCHED,
    ),
  );
  if (rest.errors.length > 0) throw joinErrors(rest.errors[0], rest.errors.slice(1));
  const { change: _, ...unchanged } = guest;
  writeRecord(node, unchanged);
}

/** QEMU first, then labels and claims, then the record says that the guest has become another. */
async function finish(node: Node, guest: ChangingGuest, watch: Watch): Promise<void> {
  const actor = actorFor(node, guest);
  const { after, steps, xml } = guest.change;
  const told = after.filter(isToldQemu);
  try {
    await runPlan(actor, told, watch);
  } catch (error) {
    await noteAsked(node, guest, error);
    throw error;
  }
  await withRegistryLock(node, async () => {
    const rest = after.filter((step) => !isToldQemu(step));
    const { errors } = await undo(actor, rest, (moment, step, at) => watch(moment, step, told.length + at));
    if (errors.length > 0) throw joinErrors(errors[0], errors.slice(1));
  });
  const { change: _, ...before } = guest;
  writeRecord(node, { ...before, xml, steps: settleSteps(before.steps, { steps, after }) });
}

/** Whoever comes later need only look: a guest that was asked lets go in its own time. */
async function noteAsked(node: Node, guest: ChangingGuest, error: unknown): Promise<void> {
  if (asSvirtError(error).kind !== "timeout" || !(await isStillPlugged(node, guest.change))) return;
  writeRecord(node, { ...guest, change: { ...guest.change, isAsked: true } });
}

async function isStillPlugged({ host }: Node, { after }: GuestChange): Promise<boolean> {
  const [unplug] = after;
  return unplug?.do === "unplug" && (await isPlugged(host, unplug));
}

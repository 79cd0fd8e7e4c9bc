import { asSvirtError, joinErrors, SvirtError } from "../../errors.ts";
import { listUnseen, withLooks } from "../../labelling/look-ahead.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import type { ChangeSteps } from "../../plan/steps/change.ts";
import { isToldQemu, planUndo } from "../../plan/steps/inverse.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Progress } from "../../run/actor.ts";
import { withinTime } from "../../run/monitor/within-time.ts";
import { thaw } from "../../run/process/freeze.ts";
import { runPlan, UNWATCHED, undo, type Watch } from "../../run/steps/run-plan.ts";
import type { Node } from "../../state/instance.ts";
import { actorFor, withGuestLock, withRegistryLock } from "../../state/locks.ts";
import {
  type GuestChange,
  type GuestRecord,
  identityOf,
  isRunning,
  writeRecord,
} from "../../state/record.ts";
import { findRunning } from "../guest/find-domain.ts";
import { finishChange, isStillPlugged } from "./finish-change.ts";
import { type ChangingGuest, giveUp } from "./give-up.ts";

/** Time to undo a change after QEMU has failed to answer. */
const MUTE_UNDO_MS = 2000;

/** Decided change of a running guest. */
export interface DecidedChange extends ChangeSteps {
  /** The guest's XML after the change. */
  readonly xml: string;
  /** Jobs of QEMU for the guest after the change; undefined: as before. */
  readonly jobs?: readonly BlockJob[];
  /** Whether the definition's disks follow those of the guest. */
  readonly isForDefinition?: true;
  /** Result if QEMU ends the job in another way than expected. */
  readonly otherwise?: NonNullable<GuestChange["otherwise"]>;
  /** The change ends the guest, for this reason. */
  readonly ends?: NonNullable<GuestChange["ends"]>;
}

/** Change that a command requests. */
export interface AskedChange {
  /** Readable description: `attach vdb`. */
  readonly what: string;
  /**
   * Steps that must be done before the rest is decided, since their result matters: creating images, detaching PCI
   * devices from their drivers.
   */
  make?(guest: GuestRecord): readonly Step[];
  /** Decides from the guest's present record, under the registry's lock. */
  decide(guest: GuestRecord): DecidedChange;
}

/** Change that depends on QEMU's state. QEMU may answer slowly, so it is asked without the registry's lock. */
export interface LookingChange {
  readonly what: string;
  look(guest: GuestRecord): Promise<AskedChange>;
}

/** Receivers of progress. */
interface Audience {
  readonly watch: Watch;
  readonly onProgress?: Progress;
}

/**
 * Changes a running guest: decides the change, records it and carries it out. A failed change is undone before this
 * throws. One that only could not be finished stays in the record for a later call. Throws the errors of the decision
 * and the host.
 */
export async function changeGuest(
  node: Node,
  uuid: string,
  wish: Partial<Audience> & { readonly asked: AskedChange | LookingChange },
): Promise<void> {
  const { asked, watch = UNWATCHED, ...told } = wish;
  const audience = { watch, ...told };
  await withGuestLock(node, uuid, async () => {
    await settleChange(node, findRunning(node, uuid).guest);
    const { guest } = findRunning(node, uuid);
    const { change } = guest;
    if (change === undefined) {
      const decided = "look" in asked ? await asked.look(guest) : asked;
      return await carryOut(node, await begin(node, guest, { asked: decided, watch }), audience);
    }
    // Asks the guest again to release the device.
    if (change.what === asked.what) return await finishChange(node, guest, watch);
    throw notLetGo({ ...guest, change });
  });
}

/** Returns the error for a guest that has not released a device of an earlier change. */
export function notLetGo({ change, name }: ChangingGuest): SvirtError {
  return new SvirtError(`Cannot change the guest ${name}: it has not let go yet (${change.what})`, {
    kind: "wrong-state",
    remedy: "Detach that device in the guest, or ask it again by the same command.",
  });
}

/** Changes a guest that has no change in progress. The caller holds its lock. */
export async function changeSettled(
  node: Node,
  uuid: string,
  { asked, watch }: { readonly asked: AskedChange; readonly watch: Watch },
): Promise<void> {
  await carryOut(node, await begin(node, findRunning(node, uuid).guest, { asked, watch }), { watch });
}

/**
 * Undoes or finishes a change during which svirt was killed. A guest that still has a device to release is not asked
 * again, and keeps its change. The caller holds the guest's lock.
 */
export async function settleChange(node: Node, guest: GuestRecord): Promise<void> {
  const { change } = guest;
  if (change === undefined || !isRunning(node, guest)) return;
  thaw(node.host, guest.steps);
  if (change.stage === "doing") return await takeBack(node, { ...guest, change }, false);
  if (change.isAsked === true && (await isStillPlugged(node, change))) return;
  await finishChange(node, guest, UNWATCHED);
}

/** Recorded change, of which the first `done` steps are carried out. */
interface Begun {
  readonly guest: ChangingGuest;
  readonly done: number;
}

async function begin(
  node: Node,
  before: GuestRecord,
  { asked, watch }: { readonly asked: AskedChange; readonly watch: Watch },
): Promise<Begun> {
  const { what } = asked;
  const own = identityOf(before);
  let making: ChangingGuest | undefined;
  let made: readonly Step[] | undefined;
  try {
    return await withLooks(node, own, async (looks) => {
      if (made === undefined) {
        made = asked.make?.(before) ?? [];
        if (made.length > 0) {
          making = writeChange(node, before, { what, steps: made, after: [], xml: before.xml });
          await runPlan(actorFor(node, before), made, watch);
        }
      }
      const decided = asked.decide(before);
      const unseen = listUnseen(node, decided.steps, { looks, own });
      if (unseen.length > 0) return { unseen };
      const steps = [...made, ...decided.steps];
      return { result: { guest: writeChange(node, before, { ...decided, what, steps }), done: made.length } };
    });
  } catch (error) {
    if (making !== undefined) await takeBackAfter(node, making, error);
    throw error;
  }
}

function writeChange(
  node: Node,
  before: GuestRecord,
  decided: DecidedChange & { readonly what: string },
): ChangingGuest {
  const { after, ends, isForDefinition, jobs, otherwise, steps, what, xml } = decided;
  const change: GuestChange = {
    what,
    stage: steps.length === 0 ? "finishing" : "doing",
    steps: [...steps],
    after: [...after],
    xml,
    ...(jobs === undefined ? {} : { jobs: [...jobs] }),
    ...(isForDefinition === undefined ? {} : { isForDefinition }),
    ...(otherwise === undefined ? {} : { otherwise }),
    ...(ends === undefined ? {} : { ends }),
  };
  const changing = { ...before, change };
  writeRecord(node, changing);
  return changing;
}

async function carryOut(node: Node, begun: Begun, audience: Audience): Promise<void> {
  const { guest } = begun;
  const { watch } = audience;
  try {
    await runSteps(node, begun, audience);
  } catch (error) {
    await takeBackAfter(node, guest, error);
    throw error;
  }
  const { after, steps } = guest.change;
  const finishing: ChangingGuest = { ...guest, change: { ...guest.change, stage: "finishing" } };
  if (after.length > 0 && guest.change.stage === "doing") writeRecord(node, finishing);
  await finishChange(node, finishing, (moment, step, at) => watch(moment, step, steps.length + at));
}

/** Claims and labels under the registry's lock, then QEMU's steps without it, since QEMU may be slow. */
async function runSteps(node: Node, { done, guest }: Begun, { watch, ...told }: Audience): Promise<void> {
  const steps = guest.change.steps.slice(done);
  const actor = { ...actorFor(node, guest), ...told };
  const first = steps.findIndex(isToldQemu);
  const before = first === -1 ? steps : steps.slice(0, first);
  await withRegistryLock(node, () =>
    runPlan(actor, before, (moment, step, at) => watch(moment, step, done + at)),
  );
  await runPlan(actor, steps.slice(before.length), (moment, step, at) =>
    watch(moment, step, done + before.length + at),
  );
}

/** An error while undoing joins the first one and hides neither it nor that the guest still holds a file. */
async function takeBackAfter(node: Node, guest: ChangingGuest, error: unknown): Promise<void> {
  // A QEMU that has not answered is not waited for as long again: a later call undoes the rest.
  const isMute = asSvirtError(error).kind === "timeout";
  const host = isMute ? withinTime(node.host, MUTE_UNDO_MS) : node.host;
  try {
    await takeBack({ ...node, host }, guest, true);
  } catch (later) {
    const joined = joinErrors(error, [later]);
    const { kind, remedy } = asSvirtError(later);
    throw kind === "partly" ? new SvirtError(joined.message, { kind, remedy, cause: error }) : joined;
  }
}

async function takeBack(node: Node, guest: ChangingGuest, isWaiting: boolean): Promise<void> {
  const actor = actorFor(node, guest);
  const back = planUndo(guest.change.steps);
  const told = await undo(actor, back.filter(isToldQemu), UNWATCHED);
  // While QEMU may still use a file, its label must not change, and no other guest may get it.
  if (told.errors.length > 0) throw joinErrors(told.errors[0], told.errors.slice(1));
  await giveUp(node, guest, { steps: back.filter((step) => !isToldQemu(step)), watch: UNWATCHED, isWaiting });
  const { change: _, ...unchanged } = guest;
  writeRecord(node, unchanged);
}

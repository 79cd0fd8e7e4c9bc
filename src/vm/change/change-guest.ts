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

/** How long a change is taken back by a QEMU that has not answered before. */
const MUTE_UNDO_MS = 2000;

/** What a change of a running guest was decided to be. */
export interface DecidedChange extends ChangeSteps {
  /** The guest's XML once it is done. */
  readonly xml: string;
  /** The jobs that QEMU has for the guest then; undefined: as before. */
  readonly jobs?: readonly BlockJob[];
  /** Whether the definition's disks become what the guest's have. */
  readonly isForDefinition?: true;
  /** What it comes to where QEMU ends the job in another way than it is expected to. */
  readonly otherwise?: NonNullable<GuestChange["otherwise"]>;
  /** The guest ends with it, for that reason. */
  readonly ends?: NonNullable<GuestChange["ends"]>;
}

/** A change that somebody asked for. */
export interface AskedChange {
  /** For a person: `attach vdb`. */
  readonly what: string;
  /**
   * What is done before anything else is decided, for that goes by what has become of it: images are made, PCI devices taken
   * from their drivers.
   */
  make?(guest: GuestRecord): readonly Step[];
  /** From the guest as it is now, under the registry's lock. */
  decide(guest: GuestRecord): DecidedChange;
}

/** One that depends on what QEMU says, which may take its time: asked without the registry's lock. */
export interface LookingChange {
  readonly what: string;
  look(guest: GuestRecord): Promise<AskedChange>;
}

/** Who is told of what is being done. */
interface Audience {
  readonly watch: Watch;
  readonly onProgress?: Progress;
}

/**
 * Changes a running guest: decided, written down, carried out. What fails is taken back before this throws; what could
 * only not be finished stays in the record for a later call. Throws what the decision and the host throw.
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
    // The guest is asked once more to let go.
    if (change.what === asked.what) return await finishChange(node, guest, watch);
    throw notLetGo({ ...guest, change });
  });
}

/** A change of the guest waits for the guest itself. */
export function notLetGo({ change, name }: ChangingGuest): SvirtError {
  return new SvirtError(`Cannot change the guest ${name}: it has not let go yet (${change.what})`, {
    kind: "wrong-state",
    remedy: "Detach that device in the guest, or ask it again by the same command.",
  });
}

/** The same for a guest that has no change under way. The caller holds its lock. */
export async function changeSettled(
  node: Node,
  uuid: string,
  { asked, watch }: { readonly asked: AskedChange; readonly watch: Watch },
): Promise<void> {
  await carryOut(node, await begin(node, findRunning(node, uuid).guest, { asked, watch }), { watch });
}

/**
 * Takes a change back that somebody was killed in, or finishes it. A guest that has yet to let go of a device is not
 * asked again and keeps its change. The caller holds the guest's lock.
 */
export async function settleChange(node: Node, guest: GuestRecord): Promise<void> {
  const { change } = guest;
  if (change === undefined || !isRunning(node, guest)) return;
  thaw(node.host, guest.steps);
  if (change.stage === "doing") return await takeBack(node, { ...guest, change }, false);
  if (change.isAsked === true && (await isStillPlugged(node, change))) return;
  await finishChange(node, guest, UNWATCHED);
}

/** A decided change under way: so many of its steps are done. */
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

/** Claims and labels under the registry's lock, and QEMU, which may take its time, without. */
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

/** An error on the way back joins the first one and does not hide it, nor that the guest holds what it was to give back. */
async function takeBackAfter(node: Node, guest: ChangingGuest, error: unknown): Promise<void> {
  // A QEMU that has just not answered is not waited for as long again: a later call takes back what is left.
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
  // While QEMU may still use a file, its label must not change, nor anybody else be given it.
  if (told.errors.length > 0) throw joinErrors(told.errors[0], told.errors.slice(1));
  await giveUp(node, guest, { steps: back.filter((step) => !isToldQemu(step)), watch: UNWATCHED, isWaiting });
  const { change: _, ...unchanged } = guest;
  writeRecord(node, unchanged);
}

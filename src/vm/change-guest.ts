import { asSvirtError, joinErrors, SvirtError } from "../errors.ts";
import type { BlockJob } from "../plan/block-job.ts";
import type { ChangeSteps } from "../plan/hotplug-plan.ts";
import { settleSteps } from "../plan/settle-steps.ts";
import { isToldQemu, planUndo, type Step } from "../plan/step.ts";
import { aboutJobs, concludeJob } from "../run/block-job.ts";
import type { Progress } from "../run/guest-stream.ts";
import { isPlugged } from "../run/plug.ts";
import { runPlan, UNWATCHED, undo, type Watch } from "../run/run-plan.ts";
import { actorFor, clearAway, withGuestLock, withRegistryLock } from "./clear-away.ts";
import { findRunning } from "./find-domain.ts";
import { followGuest } from "./follow-guest.ts";
import type { Node } from "./node.ts";
import { type GuestChange, type GuestRecord, isRunning, writeRecord } from "./record.ts";

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
    if (change.what === asked.what) return await finish(node, { ...guest, change }, watch);
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

/** Carries out what is left of a change that cannot be taken back any more. The caller holds the guest's lock. */
export async function finishChange(node: Node, guest: GuestRecord, watch: Watch): Promise<void> {
  const { change } = guest;
  if (change !== undefined) await finish(node, { ...guest, change }, watch);
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
  let making: ChangingGuest | undefined;
  try {
    return await withRegistryLock(node, async () => {
      const made = asked.make?.(before) ?? [];
      if (made.length > 0) {
        making = writeChange(node, before, { what, steps: made, after: [], xml: before.xml });
        await runPlan(actorFor(node, before), made, watch);
      }
      const decided = asked.decide(before);
      const steps = [...made, ...decided.steps];
      return { guest: writeChange(node, before, { ...decided, what, steps }), done: made.length };
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
  await finish(node, finishing, (moment, step, at) => watch(moment, step, steps.length + at));
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

/** An error on the way back joins the first one and does not hide it. */
async function takeBackAfter(node: Node, guest: ChangingGuest, error: unknown): Promise<void> {
  try {
    await takeBack(node, guest);
  } catch (later) {
    throw joinErrors(error, [later]);
  }
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

/**
 * What stands before QEMU's part, then QEMU, then labels and claims, then the record says that the guest has become
 * another, or is gone.
 */
async function finish(node: Node, changing: ChangingGuest, watch: Watch): Promise<void> {
  const guest = await chooseOutcome(node, changing);
  const actor = actorFor(node, guest);
  const { after, ends, steps, xml } = guest.change;
  if (ends !== undefined) return await clearAway(node, guest, { reason: ends, watch });
  const first = after.findIndex(isToldQemu);
  const lead = after.slice(0, Math.max(first, 0));
  const told = [...lead, ...after.slice(lead.length).filter(isToldQemu)];
  let done = 0;
  try {
    await runPlan(actor, told, (moment, step, at) => {
      watch(moment, step, at);
      if (moment === "after") done += 1;
    });
  } catch (error) {
    if (done + steps.length === 0) await dropRefused(node, guest, error);
    await noteAsked(node, guest, error);
    throw error;
  }
  await withRegistryLock(node, async () => {
    const rest = after.slice(lead.length).filter((step) => !isToldQemu(step));
    const { errors } = await undo(actor, rest, (moment, step, at) => watch(moment, step, told.length + at));
    if (errors.length > 0) throw joinErrors(errors[0], errors.slice(1));
  });
  if (guest.change.isForDefinition === true)
    await withRegistryLock(node, async () => followGuest(node, guest, xml));
  const { change, jobs: jobsBefore, ...before } = guest;
  const jobs = change.jobs ?? jobsBefore ?? [];
  writeRecord(node, {
    ...before,
    xml,
    steps: settleSteps(before.steps, { steps, after }),
    ...(jobs.length === 0 ? {} : { jobs }),
  });
}

/**
 * QEMU may do what it has waited for only now that the record tells what it will have come to: whoever finds the guest
 * ended goes by that. It hardly ever comes to anything else; if it does, that is written down before it is carried out.
 */
async function chooseOutcome(node: Node, guest: ChangingGuest): Promise<ChangingGuest> {
  const { isForDefinition, otherwise, ...change } = guest.change;
  const adopted = change.after.find((step) => step.do === "adopt-chain");
  const job = guest.jobs?.find(({ device }) => device === adopted?.device);
  if (otherwise === undefined || adopted === undefined || job === undefined) return guest;
  const expected = isForDefinition === true;
  const isDone = await aboutJobs(node.host, adopted.monitor, (monitor) =>
    concludeJob(node.host, monitor, { job, expected }),
  );
  if (isDone === expected) return guest;
  const other: ChangingGuest = { ...guest, change: { ...change, ...otherwise } };
  writeRecord(node, other);
  return other;
}

/** Whoever comes later need only look: a guest that was asked lets go in its own time. */
async function noteAsked(node: Node, guest: ChangingGuest, error: unknown): Promise<void> {
  if (asSvirtError(error).kind !== "timeout" || !(await isStillPlugged(node, guest.change))) return;
  writeRecord(node, { ...guest, change: { ...guest.change, isAsked: true } });
}

/** What QEMU has refused at the first word was never begun: nobody need finish it. */
async function dropRefused(node: Node, guest: ChangingGuest, error: unknown): Promise<void> {
  const isRefused = asSvirtError(error).message.includes("unable to execute QEMU command");
  if (!isRefused || !(await isStillPlugged(node, guest.change))) return;
  const { change: _, ...unchanged } = guest;
  writeRecord(node, unchanged);
}

async function isStillPlugged({ host }: Node, { after }: GuestChange): Promise<boolean> {
  for (const step of after) if (step.do === "unplug" && (await isPlugged(host, step))) return true;
  return false;
}

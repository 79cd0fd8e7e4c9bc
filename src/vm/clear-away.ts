import { asSvirtError, joinErrors } from "../errors.ts";
import { isEnd, isOfGuestsSize, planStop } from "../plan/inverse.ts";
import { guestPaths, registryLock } from "../plan/paths.ts";
import type { Step } from "../plan/step.ts";
import { thaw } from "../run/freeze.ts";
import { runPlan, UNWATCHED, undo, type Watch } from "../run/run-plan.ts";
import type { Actor } from "../run/run-step.ts";
import { type Node, registryOf } from "./node.ts";
import { writePendingRestart } from "./pending-restart.ts";
import {
  type GuestRecord,
  type IdentifiedGuest,
  identityOf,
  isWritten,
  removeRecord,
  writeEnding,
} from "./record.ts";

const LOCK_TIMEOUT_MS = 300_000;

/** Why a guest is off, in libvirt's words of `domstate --reason`. */
export type ShutoffReason = "shutdown" | "destroyed" | "crashed" | "saved" | "failed" | "unknown";

/** Waits for the guest's lock, does the work and lets go of it. */
export async function withGuestLock<Result>(
  node: Node,
  uuid: string,
  work: () => Promise<Result>,
): Promise<Result> {
  return await withLock(node, { path: guestPaths(node.paths, uuid).lock, timeoutMs: LOCK_TIMEOUT_MS }, work);
}

/** The same if nobody holds the guest's lock: else it is left to whoever does. */
export async function withFreeGuest(node: Node, uuid: string, work: () => Promise<void>): Promise<void> {
  let isHeld = true;
  try {
    await withLock(node, { path: guestPaths(node.paths, uuid).lock, timeoutMs: 0 }, async () => {
      isHeld = false;
      await work();
    });
  } catch (error) {
    if (!isHeld || asSvirtError(error).kind !== "timeout") throw error;
  }
}

/** Waits for the registry's lock: whoever changes claims or labels, or chooses by them, holds it. */
export async function withRegistryLock<Result>(node: Node, work: () => Promise<Result>): Promise<Result> {
  return await withLock(node, { path: registryLock(node.paths), timeoutMs: LOCK_TIMEOUT_MS }, work);
}

async function withLock<Result>(
  { host }: Node,
  { path, timeoutMs }: { readonly path: string; readonly timeoutMs: number },
  work: () => Promise<Result>,
): Promise<Result> {
  const unlock = await host.lock(path, timeoutMs);
  try {
    return await work();
  } finally {
    unlock();
  }
}

/** Who carries a guest's steps out. */
export function actorFor(node: Node, guest: IdentifiedGuest & Partial<Pick<GuestRecord, "bootId">>): Actor {
  const { bootId } = guest;
  return {
    host: node.host,
    registry: registryOf(node),
    owner: guest.uuid,
    ...identityOf(guest),
    ...(bootId === undefined ? {} : { bootId }),
  };
}

/**
 * Ends a guest, if it still runs, and takes back all that its start did. The caller holds the guest's lock. Killed at
 * any instant, the next caller does the rest; what cannot be taken back stays in the record for a later try.
 * Throws the errors met, joined, after going through to the end.
 */
export async function clearAway(
  node: Node,
  guest: GuestRecord,
  how: {
    readonly reason: ShutoffReason;
    readonly restart?: boolean;
    readonly watch?: Watch;
    /** Told of files that keep the guest's label, and why. */
    readonly onKept?: (notice: string) => void;
  },
): Promise<void> {
  writeEnding(node, { ...guest, state: "stopping", reason: how.reason });
  const watch = how.watch ?? UNWATCHED;
  const actor = { ...actorFor(node, guest), ...(how.onKept === undefined ? {} : { onKept: how.onKept }) };
  thaw(node.host, guest.steps);
  const kept = keptFiles(guest);
  await runPlan(actor, kept, watch);
  const steps = planStop(allSteps(guest));
  const errors: unknown[] = [];
  const endSteps = steps.filter(isEnd);
  const ends = await undo(actor, endSteps, (moment, step, at) => watch(moment, step, kept.length + at));
  errors.push(...ends.errors);
  // While QEMU may still run, its label must not be given to anybody else, nor its files.
  if (errors.length === 0) {
    const rest = steps.filter((step) => !isEnd(step));
    // Numbered on, as svirt plan --stop numbers them.
    const numbered: Watch = (moment, step, at) => watch(moment, step, kept.length + endSteps.length + at);
    errors.push(...(await undoShared(node, { actor, steps: rest, watch: numbered })));
  }
  if (errors.length > 0) throw joinErrors(errors[0], errors.slice(1));
  if (guest.jobs !== undefined) {
    const { keepImages } = await import("./block/keep-images.ts");
    await withRegistryLock(node, async () => keepImages(node, guest));
  }
  writeReason(node, guest.uuid, how.reason);
  // Before the record goes: whoever comes after a crash finds one or the other.
  if (how.restart === true) writePendingRestart(node, guest);
  removeRecord(node, guest.uuid);
}

/**
 * Carries out steps that take others back: first those that take as long as the guest has filled a folder, then the rest under
 * one hold of the registry's lock. The caller holds the guest's lock. Gives the errors.
 */
export async function undoShared(
  node: Node,
  { actor, steps, watch }: { readonly actor: Actor; readonly steps: readonly Step[]; readonly watch: Watch },
): Promise<readonly unknown[]> {
  const own = steps.filter(isOfGuestsSize);
  const shared = steps.filter((step) => !isOfGuestsSize(step));
  const first = await undo(actor, own, watch);
  const numbered: Watch = (moment, step, at) => watch(moment, step, own.length + at);
  const rest = await withRegistryLock(node, async () => await undo(actor, shared, numbered));
  return [...first.errors, ...rest.errors];
}

/** What was written whole before the guest ended is put in its place, and only then is the rest taken back. */
function keptFiles({ change }: GuestRecord): readonly Step[] {
  return change?.stage === "finishing" ? change.after.filter((step) => step.do === "keep-file") : [];
}

/** Why the guest ended, from what was asked of it and what its reaper saw. */
export function reasonOf(node: Node, guest: GuestRecord): ShutoffReason {
  if (guest.reason !== undefined) return guest.reason;
  if (guest.change?.stage === "finishing" && guest.change.ends !== undefined) return guest.change.ends;
  const isOfThisBoot = guest.bootId === node.host.getBootId();
  if (guest.state === "starting" && isOfThisBoot) return "failed";
  if (guest.intent === "destroy") return "destroyed";
  const exit = node.host.readText(guestPaths(node.paths, guest.uuid).exit)?.trim();
  // The node went down under it: it did not end by itself, and nothing tells more, not even whether it ran (launch-guest.ts).
  if (!isOfThisBoot) return "unknown";
  if (exit === undefined) return "crashed";
  return exit === "0" ? "shutdown" : "crashed";
}

/** Why a guest that is off went off; undefined when it has not run since the node was booted. */
export function readReason(node: Node, uuid: string): string | undefined {
  return node.host.readText(`${node.paths.run}/ended/${uuid}`)?.trim();
}

function writeReason(node: Node, uuid: string, reason: ShutoffReason): void {
  // With no room for it domstate says "unknown".
  isWritten(() => {
    node.host.makeFolder({ path: `${node.paths.run}/ended`, mode: 0o700 });
    node.host.writeText(`${node.paths.run}/ended/${uuid}`, `${reason}\n`, 0o600);
  });
}

/** All that was or may have been done for a guest, a change that is under way among it. */
export function allSteps(guest: GuestRecord): readonly Step[] {
  return [...guest.steps, ...(guest.change?.steps ?? []), ...(guest.change?.after ?? [])];
}

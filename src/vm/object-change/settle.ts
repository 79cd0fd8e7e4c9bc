import { asSvirtError, errorsOf, errorsOfWork, joinErrors, type SvirtError } from "../../errors.ts";
import { planSettlement, type RecordedChange, type Settlement } from "../../plan/change/object-change.ts";
import { type ChangedObject, OBJECT_KINDS, type ObjectKind } from "../../plan/change/object-kinds.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Actor } from "../../run/actor.ts";
import { NO_OBSERVER } from "../../run/steps/run-plan.ts";
import { hasEffect } from "../../run/steps/stored.ts";
import { undo } from "../../run/steps/undo-plan.ts";
import { listChanged, readChange, removeChange } from "../../state/changes/changes.ts";
import { adoptOldForms, listOldForms } from "../../state/changes/old-forms.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { HOLDS } from "./change.ts";
import { removeParts } from "./parts.ts";

// Rule: An interrupted change of such an object is finished or undone by the next call about it.

/** Commands whose interrupted changes were settled, such as `net-start lan`, and the errors of the others. */
export interface Settled {
  readonly names: readonly string[];
  readonly errors: readonly SvirtError[];
}

/**
 * Finishes or undoes the changes of objects that a killed svirt has left. An object that another call is
 * changing is left to that call. Never throws for a single object.
 */
export async function settleChanges(
  instance: Instance,
  kinds: readonly ObjectKind[] = OBJECT_KINDS,
): Promise<Settled> {
  const names: string[] = [];
  const errors: SvirtError[] = [];
  if (listOldForms(instance, kinds).length > 0) {
    const adopt = async (): Promise<void> => adoptOldForms(instance, kinds);
    errors.push(...(await errorsOfWork(async () => await withRegistryLock(instance, adopt))));
  }
  for (const object of listChanged(instance, kinds)) {
    const { hold, lockOf, mayHang } = HOLDS[object.kind];
    if (mayHang && instance.host.isLocked(lockOf(instance.paths, object.key))) continue;
    try {
      const what = await hold(instance, object.key, async () => await settleChange(instance, object));
      if (what !== undefined) names.push(what);
    } catch (error) {
      errors.push(asSvirtError(error));
    }
  }
  errors.push(...(await errorsOfWork(async () => await removeParts(instance))));
  return { names, errors };
}

/**
 * Settles the changes of all objects of a kind. The caller holds them. An error is left to the next change of
 * its object.
 */
export async function settleHeld(instance: Instance, kind: ObjectKind): Promise<void> {
  errorsOf(() => adoptOldForms(instance, [kind]));
  for (const object of listChanged(instance, [kind]))
    await errorsOfWork(async () => await settleChange(instance, object));
}

/**
 * Settles the changes of all definitions. The caller holds them. Throws as settleChange() for this domain
 * alone.
 */
export async function settleDomain(instance: Instance, uuid: string): Promise<void> {
  await settleHeld(instance, "domain");
  await settleChange(instance, { kind: "domain", key: uuid });
}

/**
 * Finishes or undoes the interrupted change of an object, and returns its command; undefined if there is
 * none. Throws if a step fails: the record then stays for the next attempt. The caller holds the object.
 */
export async function settleChange(instance: Instance, object: ChangedObject): Promise<string | undefined> {
  const change = readChange(instance, object);
  if (change === undefined || HOLDS[object.kind].isInUse(instance, object.key))
    removeChange(instance, object);
  else await settleRecorded(instance, change);
  return change?.what;
}

/** Settles a recorded change, and removes its record. Returns the direction. Throws as settleChange(). */
export async function settleRecorded(
  instance: Instance,
  change: RecordedChange,
): Promise<Settlement["direction"]> {
  const { direction, steps } = planSettlement(change, (step) => hasEffect(instance.host, step));
  await refuseSilentSteps(instance, steps);
  const { errors } = await undo(actorFor(instance, change), steps, NO_OBSERVER);
  const [first, ...others] = errors;
  if (first !== undefined) throw joinErrors(first, others);
  removeChange(instance, change.object);
  return direction;
}

/**
 * Throws "timeout" for steps on files whose server does not answer. A look at such a file would keep the lock
 * of all commands as long as the server is silent; the question takes 2 s.
 */
export async function refuseSilentSteps({ host }: Instance, steps: readonly Step[]): Promise<void> {
  const paths = steps.flatMap(pathsOf);
  if (paths.length === 0) return;
  const { refuseSilentPaths } = await import("../../resolve/silent-server.ts");
  await refuseSilentPaths(host, paths);
}

function pathsOf(step: Step): readonly string[] {
  const places = [
    "path" in step ? step.path : undefined,
    "file" in step ? step.file : undefined,
    "folder" in step ? step.folder : undefined,
  ];
  return places.flatMap((place) => (typeof place === "object" ? place.path : (place ?? [])));
}

/** Returns the actor of the steps of a change. */
export function actorFor(instance: Instance, { object }: Pick<RecordedChange, "object">): Actor {
  return { host: instance.host, registry: registryOf(instance), owner: object.key, uid: 0 };
}

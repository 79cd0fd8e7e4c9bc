import type { Step } from "../../plan/steps/step.ts";
import type { Actor } from "../../run/actor.ts";
import { inOneConversation } from "../../run/monitor/one-conversation.ts";
import { runPlan, type StepObserver } from "../../run/steps/run-plan.ts";
import { actorFor } from "../../state/actor-for.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import type { GuestRecord } from "../../state/record.ts";

/**
 * Runs the steps of a start that precede its processes, after the first `done` steps. The caller holds the
 * registry lock.
 */
export async function runPreparation(
  instance: Instance,
  guest: GuestRecord,
  { done, observer }: { readonly done: number; readonly observer: StepObserver },
): Promise<void> {
  const steps = guest.steps.slice(done, countPreparations(guest));
  await runPlan(actorFor(instance, guest), steps, (moment, step, at) => observer(moment, step, done + at));
}

/**
 * Runs the remaining steps without the registry lock, since QEMU takes its time. Only the removal of ACL
 * entries holds it: guests with a shared file share its ACL, read and written as a whole. Returns QEMU's
 * terminals, keyed by the names of their devices.
 */
export async function runLaunch(
  instance: Instance,
  guest: GuestRecord,
  observer: StepObserver,
): Promise<ReadonlyMap<string, string>> {
  let terminals: ReadonlyMap<string, string> = new Map();
  const onTerminals = (found: ReadonlyMap<string, string>): void => {
    terminals = found;
  };
  await inOneConversation(instance.host, (host) => {
    const actor = { ...actorFor({ ...instance, host }, guest), onTerminals };
    return runRest({ ...instance, host }, { actor, guest, observer });
  });
  return terminals;
}

interface Launch {
  readonly actor: Actor;
  readonly guest: GuestRecord;
  readonly observer: StepObserver;
}

async function runRest(instance: Instance, { actor, guest: { steps }, observer }: Launch): Promise<void> {
  const run = (from: number, to: number): Promise<void> =>
    runPlan(actor, steps.slice(from, to), (moment, step, at) => observer(moment, step, from + at));
  const begin = countPreparations({ steps });
  const first = steps.findIndex(isRevocation);
  if (first < 0) return await run(begin, steps.length);
  const end = steps.findLastIndex(isRevocation) + 1;
  await run(begin, first);
  await withRegistryLock(instance, () => run(first, end));
  await run(end, steps.length);
}

function countPreparations({ steps }: Pick<GuestRecord, "steps">): number {
  return steps.findIndex(({ do: name }) => name === "spawn-helper" || name === "spawn");
}

function isRevocation(step: Step): boolean {
  return step.do === "revoke";
}

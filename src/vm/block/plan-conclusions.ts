import { parseSnapshotText } from "../../domain/other-documents/snapshot.ts";
import { joinStages, type StagedPlan } from "../../plan/change/staged-plan.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import { compactSteps } from "../../plan/record/compact.ts";
import type { Step } from "../../plan/steps/step.ts";
import { replacesTop } from "../../run/steps/block/block-job.ts";
import { type Definition, defineStep, readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { addSnapshot } from "../../state/snapshots/snapshot-tree.ts";
import { readSnapshots, snapshotsStep } from "../../state/snapshots/snapshots.ts";
import type { ChangeQuery, ChangeRequest, DecidedChange } from "../change/change-guest.ts";
import { decideOnly } from "../change/plan-change.ts";
import { followGuest } from "../end/follow-guest.ts";
import { decideConclusion } from "./finish-jobs.ts";
import type { JobEnd } from "./jobs.ts";

/** Returns the record that a guest would have after a change. */
export function guestAfter(
  { jobs: before = [], ...guest }: GuestRecord,
  { after, jobs = before, steps, xml }: Pick<DecidedChange, "after" | "jobs" | "steps" | "xml">,
): GuestRecord {
  return {
    ...guest,
    xml,
    steps: compactSteps(guest.steps, { steps, after }),
    ...(jobs.length === 0 ? {} : { jobs: [...jobs] }),
  };
}

/** Result of QEMU's work, and the words for the moment when it has come. */
export interface ExpectedEnd {
  /** The disks have the images of their jobs; false: they keep their own. */
  readonly isDone: boolean;
  readonly after: string;
}

/** Returns how jobs end for a command that then pivots, aborts, or leaves that to a later command. */
export function expectEnd(end: JobEnd | undefined, jobs: readonly BlockJob[]): ExpectedEnd {
  if (end === "abort") return { isDone: false, after: "QEMU works until its copy is whole; after that:" };
  const isAsked = end !== undefined || !jobs.some(replacesTop);
  return { isDone: true, after: isAsked ? "QEMU works; after that:" : "QEMU works; after a pivot:" };
}

/**
 * Returns the steps of a change that starts jobs of QEMU, then the steps that follow their end, and the
 * guest's record after both. Changes nothing. Throws as the change does.
 */
export async function planWork(
  instance: Instance,
  key: string,
  {
    endOf,
    request,
  }: {
    readonly request: ChangeRequest | ChangeQuery;
    endOf(jobs: readonly BlockJob[]): ExpectedEnd;
  },
): Promise<StagedPlan & { readonly guest: GuestRecord }> {
  const { decided, guest } = await decideOnly(instance, key, request);
  const jobs = (decided.jobs ?? []).filter((job) => guest.jobs?.includes(job) !== true);
  const { after, isDone } = endOf(jobs);
  const followed = planConclusions(instance, guestAfter(guest, decided), { jobs, isDone });
  const first = { steps: [...decided.steps, ...decided.after] };
  return { ...joinStages([first, { steps: followed.steps, after }]), guest: followed.guest };
}

/**
 * Returns the steps by which svirt follows QEMU once these jobs have ended: labels and claims, the
 * definition, and a snapshot that was taken; and the guest's record after them. Changes nothing.
 */
export function planConclusions(
  instance: Instance,
  guest: GuestRecord,
  { isDone, jobs }: { readonly jobs: readonly BlockJob[]; readonly isDone: boolean },
): { readonly steps: readonly Step[]; readonly guest: GuestRecord } {
  const steps: Step[] = [];
  let now = guest;
  let definition = readDefinition(instance, guest.name);
  for (const job of jobs) {
    const decided = decideConclusion(instance, now, { job, isDone, isOpen: false });
    steps.push(...decided.after);
    const xml = isDone ? followGuest(definition, now, decided.xml) : undefined;
    if (isDone) steps.push(...defining(instance, definition, xml), ...keeping(instance, guest, job));
    if (definition !== undefined && xml !== undefined) definition = { ...definition, xml };
    now = guestAfter(now, decided);
  }
  return { steps, guest: now };
}

function defining(
  instance: Instance,
  definition: Definition | undefined,
  xml: string | undefined,
): readonly Step[] {
  if (definition === undefined || xml === undefined) return [];
  return [{ ...defineStep(instance, definition.name, xml), from: definition.xml }];
}

function keeping(
  instance: Instance,
  { uuid }: GuestRecord,
  { snapshot }: Pick<BlockJob, "snapshot">,
): readonly Step[] {
  if (snapshot === undefined) return [];
  const tree = addSnapshot(readSnapshots(instance, uuid), parseSnapshotText(snapshot));
  return [snapshotsStep(instance, uuid, tree)];
}

import type { Monitor } from "../../host/monitor.ts";
import { planConclusion } from "../../plan/actions/block.ts";
import { planMemoryEnd } from "../../plan/actions/stream.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import { guestPaths } from "../../plan/paths.ts";
import { listLayers } from "../../plan/record/disk-chain.ts";
import { listQemuObjects } from "../../plan/record/qemu-objects.ts";
import { findDisk } from "../../qemu/hotplug/disk.ts";
import {
  aboutJobs,
  type JobState,
  readJobState,
  replacesTop,
  waitForState,
} from "../../run/steps/block/block-job.ts";
import { NO_OBSERVER, type StepObserver } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, readRecord } from "../../state/record.ts";
import type { DecidedChange } from "../change/change-guest.ts";
import { changeIdleGuest } from "../change/change-idle-guest.ts";
import { xmlAfter } from "../end/xml-after.ts";
import { runningGuest } from "../guest/running-guest.ts";
import { reportJob } from "./report-job.ts";
import { factsFor } from "./running-disk.ts";

/** Result of QEMU's job for a disk. */
export interface EndedJob {
  readonly job: BlockJob;
  readonly isDone: boolean;
  /** QEMU's message, if the job failed. */
  readonly error: string | undefined;
}

/**
 * Applies the results of a running guest's ended jobs: labels, claims, and the images in its XML and
 * definition. The caller holds the guest's lock, and no change is in progress.
 */
export async function finishJobs(
  instance: Instance,
  uuid: string,
  observer: StepObserver = NO_OBSERVER,
): Promise<readonly EndedJob[]> {
  const ended: EndedJob[] = [];
  const { monitor } = guestPaths(instance.paths, uuid);
  const before = readRecord(instance, uuid);
  for (const job of before?.jobs ?? []) {
    const state = await aboutJobs(instance.host, monitor, (talk) => lookOn(instance, talk, job));
    if (state.is === "at-work") continue;
    // A copy, or a commit of the disk's own image, is pending only after svirt has asked for its end.
    const isDone = state.is === "ended" ? state.isDone : !replacesTop(job) || job.pivots === true;
    const isOpen = state.is === "pending";
    await changeIdleGuest(instance, uuid, {
      request: {
        what: `end the ${job.type} of ${job.disk}`,
        decide: (guest) => decideConclusion(instance, guest, { job, isDone, isOpen }),
      },
      observer,
    });
    const error = state.is === "ended" ? state.error : undefined;
    const end = { job, isDone: hasChain(instance, uuid, job), error };
    ended.push(end);
    if (before !== undefined) await reportJob(instance, before, { job, status: statusOf(end) });
  }
  return ended;
}

function statusOf({ error, isDone }: EndedJob): "completed" | "failed" | "cancelled" {
  if (isDone) return "completed";
  return error === undefined ? "cancelled" : "failed";
}

/** Inspects a job, and completes a ready job with a requested pivot: its command may have ended. */
async function lookOn(instance: Instance, monitor: Monitor, job: BlockJob): Promise<JobState> {
  const state = await readJobState(instance.host, monitor, job);
  if (state.is !== "at-work" || state.job.status !== "ready" || job.pivots !== true) return state;
  const { id } = state.job;
  await monitor.execute("job-complete", { id });
  await waitForState(instance.host, monitor, { id, isThere: ({ status }) => status !== "ready" });
  return await readJobState(instance.host, monitor, job);
}

/**
 * Decides what follows the end of a job. `isDone`: QEMU has done it; `isOpen`: QEMU may still decide
 * otherwise.
 */
export function decideConclusion(
  instance: Instance,
  guest: GuestRecord,
  { isDone, isOpen, job }: { readonly job: BlockJob; readonly isDone: boolean; readonly isOpen: boolean },
): DecidedChange {
  const disk = findDisk(runningGuest(guest).domain, job.disk);
  const facts = factsFor(instance, guest, disk.value);
  const outcomeOf = (done: boolean): Outcome => {
    const { after } = planConclusion(guest.steps, { job, isDone: done }, facts);
    const { monitor } = facts;
    const memory = job.memory && planMemoryEnd(job.memory, { isDone: done, monitor });
    return {
      after: memory === undefined ? [...after] : [...memory.first, ...after, ...memory.last],
      xml: done ? xmlAfter(guest, job) : guest.xml,
      ...(done ? { isForDefinition: true } : {}),
    };
  };
  return {
    ...outcomeOf(isDone),
    steps: [],
    jobs: (guest.jobs ?? []).filter(({ disk: other }) => other !== job.disk),
    ...(isOpen ? { otherwise: outcomeOf(!isDone) } : {}),
  };
}

type Outcome = NonNullable<DecidedChange["otherwise"]>;

/** Reports whether the disk has the images that the job was started for, by the steps carried out. */
function hasChain(instance: Instance, uuid: string, { chain, device }: BlockJob): boolean {
  const layers = listLayers(listQemuObjects(readRecord(instance, uuid)?.steps ?? []), device);
  return layers.map(({ node: name }) => name).join(" ") === chain.map(({ node: name }) => name).join(" ");
}

import type { BlockJob } from "../../plan/block-job.ts";
import { planConclusion } from "../../plan/block-plan.ts";
import { guestPaths } from "../../plan/paths.ts";
import { aboutJobs, lookAtJob } from "../../run/block-job.ts";
import { UNWATCHED, type Watch } from "../../run/run-plan.ts";
import { changeSettled, type DecidedChange } from "../change-guest.ts";
import { findDisk } from "../devices/find-device.ts";
import type { Node } from "../node.ts";
import { type GuestRecord, readRecord } from "../record.ts";
import { runningGuest } from "../running-guest.ts";
import { factsFor } from "./running-disk.ts";
import { xmlAfter } from "./xml-after.ts";

/** How a job ended that QEMU had for a disk. */
export interface EndedJob {
  readonly job: BlockJob;
  readonly isDone: boolean;
  /** QEMU's words, where it failed. */
  readonly error: string | undefined;
}

/**
 * Carries out what the jobs of a running guest have come to, those that have ended: labels, claims, and what its XML and
 * its definition name. The caller holds the guest's lock, and no change is under way.
 */
export async function settleJobs(
  node: Node,
  uuid: string,
  watch: Watch = UNWATCHED,
): Promise<readonly EndedJob[]> {
  const ended: EndedJob[] = [];
  const { monitor } = guestPaths(node.paths, uuid);
  for (const job of readRecord(node, uuid)?.jobs ?? []) {
    const state = await aboutJobs(node.host, monitor, (talk) => lookAtJob(node.host, talk, job));
    if (state.is === "at-work") continue;
    const { error, isDone } = state;
    await changeSettled(node, uuid, {
      asked: {
        what: `end the ${job.type} of ${job.disk}`,
        decide: (guest) => decideConclusion(node, guest, { job, isDone }),
      },
      watch,
    });
    ended.push({ job, isDone, error });
  }
  return ended;
}

function decideConclusion(
  node: Node,
  guest: GuestRecord,
  ended: { readonly job: BlockJob; readonly isDone: boolean },
): DecidedChange {
  const { isDone, job } = ended;
  const disk = findDisk(runningGuest(guest).domain, job.disk);
  const steps = planConclusion(guest.steps, ended, factsFor(node, guest, disk.value));
  const jobs = (guest.jobs ?? []).filter(({ disk: other }) => other !== job.disk);
  if (!isDone) return { ...steps, xml: guest.xml, jobs };
  return { ...steps, xml: xmlAfter(guest, job), jobs, isForDefinition: true };
}

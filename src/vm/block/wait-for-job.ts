import { isAtRest, type QemuJob, replacesTop } from "../../run/steps/block/block-job.ts";
import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import type { EndedJob } from "./finish-jobs.ts";
import { findDiskJob, readJob, withFinishedJobs } from "./jobs.ts";

const POLL_MS = 200;

/** Options of a wait for a job. */
export interface JobWait {
  /** The disk's target or source. */
  readonly path: string;
  /** Undefined: without limit. */
  readonly timeoutMs: number | undefined;
  onProgress(qemu: QemuJob): void;
}

/** Result of waiting: the job is ready to pivot, has ended, or the time is over. */
export type Waited = "ready" | "done" | "failed" | "timeout";

/** Waits until a job makes no further progress, and applies its result if it has ended. */
export async function waitForJob(instance: Instance, key: string, wait: JobWait): Promise<Waited> {
  const { guest } = findRunning(instance, key);
  const target = findDiskJob(guest, wait.path)?.disk;
  const started = instance.host.nowMs();
  for (;;) {
    const ended = await withFinishedJobs(instance, guest.uuid, async (_guest, found) => found);
    const state = endedState(ended, target) ?? (await lookOnce(instance, guest.uuid, wait));
    if (state !== undefined) return state;
    if (wait.timeoutMs !== undefined && instance.host.nowMs() - started > wait.timeoutMs) return "timeout";
    await instance.host.sleep(POLL_MS);
  }
}

function endedState(ended: readonly EndedJob[], target: string | undefined): Waited | undefined {
  const own = ended.find(({ job }) => job.disk === target);
  if (own === undefined) return undefined;
  return own.isDone ? "done" : "failed";
}

async function lookOnce(instance: Instance, uuid: string, wait: JobWait): Promise<Waited | undefined> {
  const now = await readJob(instance, uuid, wait.path);
  // Another call has applied its result.
  if (now === undefined) return "done";
  wait.onProgress(now.qemu);
  return isAtRest(now.qemu) && replacesTop(now.job) ? "ready" : undefined;
}

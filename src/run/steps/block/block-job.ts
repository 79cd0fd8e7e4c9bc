import * as v from "valibot";
import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import type { Monitor } from "../../../host/monitor.ts";
import type { BlockJob } from "../../../plan/facts/block-job.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import { withMonitorSocket } from "../../monitor/converse.ts";
import { CHANGE_TIMEOUT_MS, JOB_END_TIMEOUT_MS } from "../../monitor/qmp-time-limits.ts";

const POLL_MS = 20;

/** Answer of `query-jobs`. qemu.git qapi/job.json JobInfo */
const jobs = v.array(
  v.object({
    id: v.string(),
    status: v.string(),
    "current-progress": v.number(),
    "total-progress": v.number(),
    error: v.optional(v.string()),
  }),
);
/** Job as QEMU reports it. */
export type QemuJob = v.InferOutput<typeof jobs>[number];

const speeds = v.array(v.object({ device: v.string(), speed: v.number() }));

const drives = v.array(
  v.object({
    qdev: v.optional(v.string()),
    inserted: v.optional(v.object({ "node-name": v.optional(v.string()) })),
  }),
);

/** Final states of a job, left only by a command. JobStatus of qemu.git qapi/job.json */
const AT_REST: ReadonlySet<string> = new Set(["ready", "standby", "pending", "concluded"]);

/** Holds a conversation about jobs. */
export async function aboutJobs<Result>(
  host: Host,
  monitor: string,
  talk: (monitor: Monitor) => Promise<Result>,
): Promise<Result> {
  return await withMonitorSocket(host, { monitor, timeoutMs: CHANGE_TIMEOUT_MS }, talk);
}

/** Starts a job. Throws "failed" with QEMU's message. */
export async function startJob(host: Host, step: StepOf<"start-job">): Promise<void> {
  const { arguments: args, execute } = step.command;
  await aboutJobs(host, step.monitor, (monitor) => monitor.execute(execute, args));
}

/** Cancels a job, waits for its end, and dismisses it. A missing job is not an error. */
export async function cancelJob(host: Host, step: StepOf<"cancel-job">): Promise<void> {
  await aboutJobs(host, step.monitor, async (monitor) => {
    const found = await findJob(monitor, step.job);
    if (found === undefined) return;
    if (found.status !== "concluded") await monitor.execute("job-cancel", { id: step.job });
    await waitForEnd(host, monitor, step.job);
    await monitor.execute("job-dismiss", { id: step.job });
  });
}

/** Dismisses an ended job. A missing job is not an error. */
export async function dismissJob(host: Host, step: StepOf<"adopt-chain">): Promise<void> {
  const { job, monitor: path } = step;
  if (job === undefined) return;
  await aboutJobs(host, path, async (monitor) => {
    if ((await findJob(monitor, job)) !== undefined) await monitor.execute("job-dismiss", { id: job });
  });
}

/** Returns the job with the id; undefined if QEMU has none. */
export async function findJob(monitor: Monitor, id: string | undefined): Promise<QemuJob | undefined> {
  const found = v.parse(jobs, await monitor.execute("query-jobs"));
  return found.find((job) => job.id === id);
}

/**
 * Returns the bytes per second that a job may copy; 0: no limit. BlockJobInfo of qemu.git
 * qapi/block-core.json
 */
export async function findSpeed(monitor: Monitor, id: string): Promise<number> {
  const found = v.parse(speeds, await monitor.execute("query-block-jobs"));
  return found.find(({ device }) => device === id)?.speed ?? 0;
}

/** Waits until `isThere` accepts a job, or the job no longer exists. Throws "timeout". */
export async function waitForState(
  host: Host,
  monitor: Monitor,
  { id, isThere }: { readonly id: string; readonly isThere: (job: QemuJob) => boolean },
): Promise<QemuJob | undefined> {
  const deadline = host.nowMs() + JOB_END_TIMEOUT_MS;
  // The last answer may arrive after the deadline.
  monitor.allow(JOB_END_TIMEOUT_MS + CHANGE_TIMEOUT_MS);
  for (;;) {
    const job = await findJob(monitor, id);
    if (job === undefined || isThere(job)) return job;
    if (host.nowMs() >= deadline) {
      throw new SvirtError(
        `Cannot end the job ${id}: QEMU takes longer than ${JOB_END_TIMEOUT_MS / 1000} s`,
        {
          kind: "timeout",
          remedy:
            "Run svirt recover later: it completes the job after QEMU has ended it, as any command about this guest does.",
        },
      );
    }
    await host.sleep(POLL_MS);
  }
}

/** Waits for the end of a job, which is finalized if pending. Throws "timeout". */
async function waitForEnd(host: Host, monitor: Monitor, id: string): Promise<QemuJob | undefined> {
  const job = await waitForState(host, monitor, { id, isThere: hasStopped });
  if (job?.status === "pending") await monitor.execute("job-finalize", { id });
  return await waitForState(host, monitor, { id, isThere: ({ status }) => status === "concluded" });
}

/** State of a job. While it is pending, QEMU waits for the command to complete it. */
export type JobState =
  | { readonly is: "at-work"; readonly job: QemuJob }
  | { readonly is: "pending" }
  | { readonly is: "ended"; readonly isDone: boolean; readonly error: string | undefined };

/** Returns the state of a job, after waiting for a stopping job. Throws "timeout". */
export async function readJobState(host: Host, monitor: Monitor, job: BlockJob): Promise<JobState> {
  const first = await findJob(monitor, job.job);
  if (first !== undefined && !isStopping(first) && !hasStopped(first)) return { is: "at-work", job: first };
  const { id } = first ?? { id: "" };
  const found =
    first === undefined ? undefined : await waitForState(host, monitor, { id, isThere: hasStopped });
  if (found?.status === "pending") return { is: "pending" };
  const isWhole = found !== undefined && found.error === undefined;
  const isDone = replacesTop(job) ? await hasTop(monitor, job) : isWhole;
  return { is: "ended", isDone, error: found?.error };
}

/**
 * Ends a pending job and reports whether it succeeded. For a job that QEMU has forgotten it returns
 * `expected`. If the job replaces the disk's top image, the disk's top node decides. Throws "timeout".
 */
export async function concludeJob(
  host: Host,
  monitor: Monitor,
  { expected, job }: { readonly job: BlockJob; readonly expected: boolean },
): Promise<boolean> {
  const ended = job.job === undefined ? undefined : await waitForEnd(host, monitor, job.job);
  if (replacesTop(job)) return await hasTop(monitor, job);
  return ended === undefined ? expected : ended.error === undefined;
}

function isStopping({ status }: QemuJob): boolean {
  return status === "waiting" || status === "aborting";
}

/** Reports whether a job copies no more data. */
export function hasStopped({ status }: QemuJob): boolean {
  return status === "pending" || status === "concluded";
}

/** Reports whether a job does nothing more without a command. */
export function isAtRest({ status }: QemuJob): boolean {
  return AT_REST.has(status);
}

/** Reports whether a job replaces the disk's top image. Other jobs change the images below it. */
export function replacesTop({ type }: BlockJob): boolean {
  return type === "snapshot" || type === "copy" || type === "active-commit";
}

async function hasTop(monitor: Monitor, { chain, device }: BlockJob): Promise<boolean> {
  const found = v.parse(drives, await monitor.execute("query-block"));
  const drive = found.find(
    ({ qdev }) => qdev === device || qdev?.startsWith(`/machine/peripheral/${device}/`) === true,
  );
  return drive?.inserted?.["node-name"] === chain[0]?.node;
}

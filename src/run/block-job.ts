import * as v from "valibot";
import { SvirtError } from "../errors.ts";
import type { Host, Monitor } from "../host.ts";
import type { BlockJob } from "../plan/block-job.ts";
import type { Step } from "../plan/step.ts";
import { converse, MONITOR_TIMEOUT_MS } from "./converse.ts";

/** How long QEMU has to end a job that needs nothing more: it may have to write what the guest has just written. */
const END_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

/** What `query-jobs` tells. qemu.git qapi/job.json JobInfo */
const jobs = v.array(
  v.object({
    id: v.string(),
    status: v.string(),
    "current-progress": v.number(),
    "total-progress": v.number(),
    error: v.optional(v.string()),
  }),
);
/** A job as QEMU has it. */
export type QemuJob = v.InferOutput<typeof jobs>[number];

const speeds = v.array(v.object({ device: v.string(), speed: v.number() }));

const drives = v.array(
  v.object({
    qdev: v.optional(v.string()),
    inserted: v.optional(v.object({ "node-name": v.optional(v.string()) })),
  }),
);

/** States in which a job does nothing more by itself. JobStatus of qemu.git qapi/job.json */
const AT_REST: ReadonlySet<string> = new Set(["ready", "standby", "pending", "concluded"]);

/** A conversation about jobs. */
export async function aboutJobs<Result>(
  host: Host,
  monitor: string,
  talk: (monitor: Monitor) => Promise<Result>,
): Promise<Result> {
  return await converse(host, { monitor, timeoutMs: MONITOR_TIMEOUT_MS }, talk);
}

/** Throws "failed" with QEMU's words. */
export async function startJob(host: Host, step: Extract<Step, { do: "start-job" }>): Promise<void> {
  const { arguments: args, execute } = step.command;
  await aboutJobs(host, step.monitor, (monitor) => monitor.execute(execute, args));
}

/** Gives a job up, waits for its end, and forgets it. Not there is fine. */
export async function cancelJob(host: Host, step: Extract<Step, { do: "cancel-job" }>): Promise<void> {
  await aboutJobs(host, step.monitor, async (monitor) => {
    const found = await findJob(monitor, step.job);
    if (found === undefined) return;
    if (found.status !== "concluded") await monitor.execute("job-cancel", { id: step.job });
    await waitForEnd(host, monitor, step.job);
    await monitor.execute("job-dismiss", { id: step.job });
  });
}

/** QEMU forgets a job that has ended. Forgotten already is fine. */
export async function dismissJob(host: Host, step: Extract<Step, { do: "adopt-chain" }>): Promise<void> {
  const { job, monitor: path } = step;
  if (job === undefined) return;
  await aboutJobs(host, path, async (monitor) => {
    if ((await findJob(monitor, job)) !== undefined) await monitor.execute("job-dismiss", { id: job });
  });
}

/** Undefined: QEMU knows no such job. */
export async function findJob(monitor: Monitor, id: string | undefined): Promise<QemuJob | undefined> {
  const found = v.parse(jobs, await monitor.execute("query-jobs"));
  return found.find((job) => job.id === id);
}

/** How many bytes a second a job may copy; 0: as many as it can. BlockJobInfo of qemu.git qapi/block-core.json */
export async function findSpeed(monitor: Monitor, id: string): Promise<number> {
  const found = v.parse(speeds, await monitor.execute("query-block-jobs"));
  return found.find(({ device }) => device === id)?.speed ?? 0;
}

/** Lets QEMU do what is left to do at a job's end, and waits for it. Throws "timeout". */
export async function waitForEnd(host: Host, monitor: Monitor, id: string): Promise<QemuJob | undefined> {
  const deadline = host.nowMs() + END_TIMEOUT_MS;
  for (let isAsked = false; ; ) {
    const job = await findJob(monitor, id);
    if (job === undefined || job.status === "concluded") return job;
    if (job.status === "pending" && !isAsked) {
      await monitor.execute("job-finalize", { id });
      isAsked = true;
    } else if (host.nowMs() >= deadline) {
      throw new SvirtError(
        `Cannot end the job ${id}: QEMU has not done so within ${END_TIMEOUT_MS / 1000} s`,
        {
          kind: "timeout",
          remedy: "Any call of svirt finishes it once QEMU has.",
        },
      );
    } else {
      await host.sleep(POLL_MS);
    }
  }
}

/** How a job stands. */
export type JobState =
  | { readonly is: "at-work"; readonly job: QemuJob }
  | { readonly is: "ended"; readonly isDone: boolean; readonly error: string | undefined };

/**
 * Where a job stands: one that waits for its end is ended. Whether it has replaced the disk's images is told by what the
 * device has in QEMU. Throws "timeout".
 */
export async function lookAtJob(host: Host, monitor: Monitor, job: BlockJob): Promise<JobState> {
  const before = await findJob(monitor, job.job);
  if (
    before !== undefined &&
    before.status !== "pending" &&
    before.status !== "concluded" &&
    !isEnding(before)
  )
    return { is: "at-work", job: before };
  const ended = before === undefined ? undefined : await waitForEnd(host, monitor, before.id);
  const isWhole = ended !== undefined && ended.error === undefined;
  const isDone = replacesTop(job) ? await hasTop(monitor, job) : isWhole;
  return { is: "ended", isDone, error: ended?.error };
}

function isEnding({ status }: QemuJob): boolean {
  return status === "waiting" || status === "aborting";
}

/** Whether a job does nothing more until it is told. */
export function isAtRest({ status }: QemuJob): boolean {
  return AT_REST.has(status);
}

/** The others change what is below the disk's own image. */
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

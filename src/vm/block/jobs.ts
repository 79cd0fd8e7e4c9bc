import { isDiskNamed } from "../../domain/devices/disk/facts.ts";
import { SEE_QEMU_LOG, SvirtError } from "../../errors.ts";
import type { Monitor } from "../../host/monitor.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import { snapshotCommand } from "../../qemu/monitor/block-job-commands.ts";
import { refuseSilentPaths } from "../../resolve/silent-server.ts";
import type { Progress } from "../../run/actor.ts";
import {
  findJob,
  findSpeed,
  hasStopped,
  type QemuJob,
  replacesTop,
  waitForState,
} from "../../run/steps/block/block-job.ts";
import type { LuksHeaders } from "../../run/steps/block/make-image.ts";
import type { StepObserver } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { withGuestLock } from "../../state/locks.ts";
import { type GuestRecord, readRecord, writeRecord } from "../../state/record.ts";
import { type ChangeQuery, type ChangeRequest, changeGuest, readSettled } from "../change/change-guest.ts";
import { changeIdleGuest } from "../change/change-idle-guest.ts";
import { isRefused } from "../change/finish-change.ts";
import { findRunning } from "../guest/find-domain.ts";
import { tellMonitor, withMonitor } from "../guest/guest-monitor.ts";
import { runningGuest } from "../guest/running-guest.ts";
import { type EndedJob, finishJobs } from "./finish-jobs.ts";
import { reportReady } from "./report-job.ts";

/**
 * Starts a job, which continues without svirt. Throws the errors of the decision and the host; then nothing
 * has changed.
 */
export async function startBlockJob(
  instance: Instance,
  key: string,
  start: { readonly request: ChangeRequest; readonly observer: StepObserver },
): Promise<void> {
  await changeGuest(instance, findRunning(instance, key).guest.uuid, start);
}

/**
 * Makes the headers of a change's encrypted images, so that the change itself takes no half a second for
 * each; undefined without such images. Throws the errors of makeLuks() and of the request.
 */
export async function makeHeadersAhead(
  instance: Instance,
  key: string,
  request: ChangeRequest,
): Promise<LuksHeaders | undefined> {
  if (request.headers === undefined) return undefined;
  return await withFinishedJobs(instance, key, async (guest) => {
    await refuseSilentPaths(instance.host, request.paths?.(guest) ?? []);
    return await request.headers?.(guest);
  });
}

/**
 * Creates overlays, writes the guest's memory if the snapshot has it, and lets QEMU switch to all overlays in
 * a single transaction. Throws the errors of the decision, the host and QEMU; then nothing has changed.
 */
export async function takeSnapshot(
  instance: Instance,
  key: string,
  {
    request,
    ...audience
  }: {
    readonly request: ChangeRequest | ChangeQuery;
    readonly observer: StepObserver;
    readonly onProgress?: Progress;
  },
): Promise<void> {
  await withFinishedJobs(instance, key, async (guest) => {
    const decided = "look" in request ? await request.look(guest) : request;
    await changeIdleGuest(instance, guest.uuid, { request: decided, ...audience });
    const jobs = (findRunning(instance, guest.uuid).guest.jobs ?? []).filter(
      ({ type }) => type === "snapshot",
    );
    const pairs = jobs.map(({ before, chain }) => ({ node: before[0] ?? "", overlay: chain[0]?.node ?? "" }));
    let ended: readonly EndedJob[] = [];
    try {
      if (jobs.some(({ memory }) => memory !== undefined)) await activateNodes(instance, guest.uuid);
      await tellMonitor(instance, guest.uuid, snapshotCommand(pairs));
    } finally {
      // After any error, only QEMU knows whether it switched.
      ended = await finishJobs(instance, guest.uuid);
    }
    const failed = ended.find(({ isDone, job }) => job.type === "snapshot" && !isDone);
    if (failed !== undefined) throw notSwitched(failed);
  });
}

/**
 * Has QEMU use its images again, after its state was written. QEMU before 10.0 does so when the guest runs.
 * qemuMigrationBlockNodesReactivate() of libvirt
 */
async function activateNodes(instance: Instance, uuid: string): Promise<void> {
  try {
    await tellMonitor(instance, uuid, { execute: "blockdev-set-active", arguments: { active: true } });
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
}

/**
 * Returns a disk's job, its progress in QEMU, and its limit in bytes per second, 0 for none; undefined if
 * there is no job.
 */
export async function readJob(
  instance: Instance,
  key: string,
  path: string,
): Promise<{ readonly job: BlockJob; readonly qemu: QemuJob; readonly speed: number } | undefined> {
  const { guest } = findRunning(instance, key);
  const job = findDiskJob(guest, path);
  if (job === undefined) return undefined;
  return await withMonitor(instance, guest.uuid, async (monitor) => {
    const qemu = await findJob(monitor, job.job);
    if (qemu?.status === "ready") await reportReady(instance, guest, job);
    return qemu === undefined ? undefined : { job, qemu, speed: await findSpeed(monitor, qemu.id) };
  });
}

/** The disk's image after its job: the copy or base (pivot), or its current image (abort). */
export type JobEnd = "pivot" | "abort";

/** Ends a disk's job. Throws "wrong-state" with libvirt's message, "failed" when a pivot did not succeed. */
export async function endBlockJob(
  instance: Instance,
  key: string,
  options: { readonly path: string; readonly end: JobEnd; readonly isAsync?: boolean },
): Promise<void> {
  await withFinishedJobs(instance, key, async (guest) => {
    const job = findDiskJob(guest, options.path);
    if (job?.job === undefined) throw noJob(options.path);
    if (options.end === "pivot") return await pivot(instance, guest, job);
    const { job: id } = job;
    await withMonitor(instance, guest.uuid, async (monitor) => {
      await tellAbort(monitor, id);
      if (options.isAsync !== true) await waitForState(instance.host, monitor, { id, isThere: hasStopped });
    });
    await finishJobs(instance, guest.uuid);
  });
}

function notSwitched({ error, job }: EndedJob): SvirtError {
  const reason = error ?? "QEMU has switched no image";
  return new SvirtError(`internal error: unable to take a snapshot of ${job.disk}: ${reason}`, {
    kind: "failed",
    remedy: SEE_QEMU_LOG,
  });
}

/**
 * Pivots a job. The request is recorded first: once QEMU switches, every later call must know that it was
 * intended.
 */
async function pivot(instance: Instance, guest: GuestRecord, job: BlockJob): Promise<void> {
  await refuseUnimplemented(instance, guest, job);
  markPivot(instance, guest, job);
  try {
    const ended = await finishJobs(instance, guest.uuid);
    const own = ended.find((one) => one.job.disk === job.disk);
    if (own?.isDone === false) throw notPivoted(own);
  } catch (error) {
    const now = readRecord(instance, guest.uuid);
    // Withdraws the request: no later call retries it unnoticed.
    if (now !== undefined && now.change === undefined) writeRecord(instance, addJob(now, job));
    throw error;
  }
}

function markPivot(instance: Instance, guest: GuestRecord, job: BlockJob): void {
  writeRecord(instance, addJob(guest, { ...job, pivots: true }));
}

/** Returns the record with the disk's job replaced, if it still has a job. */
function addJob(guest: GuestRecord, job: BlockJob): GuestRecord {
  const jobs = guest.jobs?.map((one) => (one.disk === job.disk ? job : one));
  return { ...guest, ...(jobs === undefined ? {} : { jobs }) };
}

/** Limits the speed of a job; 0: no limit. Throws "wrong-state" with libvirt's message. */
export async function paceBlockJob(
  instance: Instance,
  key: string,
  options: { readonly path: string; readonly bytesPerSecond: number },
): Promise<void> {
  await withFinishedJobs(instance, key, async (guest) => {
    const job = findDiskJob(guest, options.path);
    if (job?.job === undefined) throw noJob(options.path);
    const args = { device: job.job, speed: options.bytesPerSecond };
    await withMonitor(instance, guest.uuid, (monitor) => monitor.execute("block-job-set-speed", args));
  });
}

/**
 * Runs `work` under the guest's lock, without a change in progress, and after the results of ended jobs are
 * applied. Throws as readSettled().
 */
export async function withFinishedJobs<Result>(
  instance: Instance,
  key: string,
  work: (guest: GuestRecord, ended: readonly EndedJob[]) => Promise<Result>,
): Promise<Result> {
  const { uuid } = findRunning(instance, key);
  return await withGuestLock(instance, uuid, async () => {
    await readSettled(instance, uuid);
    const ended = await finishJobs(instance, uuid);
    return await work(findRunning(instance, uuid).guest, ended);
  });
}

/** Returns the job of a disk, named by its target or source. Throws "not-found" with libvirt's message. */
export function findDiskJob(guest: GuestRecord, path: string): BlockJob | undefined {
  const { disks } = runningGuest(guest).domain.devices;
  const target = disks.find((disk) => isDiskNamed(disk, path))?.target.dev;
  if (target !== undefined) return guest.jobs?.find(({ disk }) => disk === target);
  throw new SvirtError(`invalid argument: disk '${path}' not found in domain`, {
    kind: "not-found",
    libvirt: "INVALID_ARG",
    remedy: `svirt domblklist ${guest.name} lists the disks.`,
  });
}

/** qemuDomainBlockPivot() of libvirt */
async function refuseUnimplemented(instance: Instance, guest: GuestRecord, job: BlockJob): Promise<void> {
  if (!replacesTop(job))
    throw wrongState(`job type '${job.type}' does not support pivot`, "Wait until the job has ended.");
  const found = await withMonitor(instance, guest.uuid, (monitor) => findJob(monitor, job.job));
  if (found?.status === "ready") return;
  throw wrongState(`block job '${job.job}' not ready for pivot yet`, "See its progress: svirt blockjob");
}

/**
 * A ready copy stays as a whole image of this moment; the disk keeps its own. qemuDomainBlockJobAbort() of
 * libvirt
 */
async function tellAbort(monitor: Monitor, id: string): Promise<void> {
  const found = await findJob(monitor, id);
  if (found?.status === "ready") await monitor.execute("block-job-cancel", { device: id, force: false });
  else if (found !== undefined && !hasStopped(found)) await monitor.execute("job-cancel", { id });
}

function noJob(path: string): SvirtError {
  return new SvirtError(`invalid argument: disk ${path} does not have an active block job`, {
    kind: "wrong-state",
    libvirt: "INVALID_ARG",
    remedy: "Start a job with svirt blockcommit, blockcopy or blockpull.",
  });
}

function notPivoted({ error, job }: EndedJob): SvirtError {
  return new SvirtError(
    `failed to pivot job for disk ${job.disk}: ${error ?? "QEMU did not switch the disk"}`,
    {
      kind: "failed",
      remedy: "See the guest's log in /var/log/svirt: the disk is unchanged.",
    },
  );
}

function wrongState(message: string, remedy: string): SvirtError {
  return new SvirtError(message, { kind: "wrong-state", remedy });
}

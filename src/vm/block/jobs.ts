import { isDiskNamed } from "../../domain/devices/disk/facts.ts";
import { SvirtError } from "../../errors.ts";
import type { Monitor } from "../../host/host.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import { snapshotCommand } from "../../qemu/monitor/block-job-commands.ts";
import {
  findJob,
  findSpeed,
  hasStopped,
  type QemuJob,
  replacesTop,
  waitForState,
} from "../../run/steps/block-job.ts";
import type { Watch } from "../../run/steps/run-plan.ts";
import type { Node } from "../../state/instance.ts";
import { withGuestLock } from "../../state/locks.ts";
import { type GuestRecord, readRecord, writeRecord } from "../../state/record.ts";
import {
  type AskedChange,
  changeGuest,
  changeSettled,
  notLetGo,
  settleChange,
} from "../change/change-guest.ts";
import { findRunning } from "../guest/find-domain.ts";
import { tellMonitor, withMonitor } from "../guest/guest-monitor.ts";
import { runningGuest } from "../guest/running-guest.ts";
import { type EndedJob, settleJobs } from "./finish-jobs.ts";

/** A job is started, and goes on without svirt. Throws what the decision and the host throw; then nothing has changed. */
export async function startBlockJob(
  node: Node,
  key: string,
  start: { readonly asked: AskedChange; readonly watch: Watch },
): Promise<void> {
  await changeGuest(node, findRunning(node, key).guest.uuid, start);
}

/**
 * Overlays are made, and QEMU goes over to all of them at once. Throws what the decision, the host and QEMU throw; then
 * nothing has changed.
 */
export async function takeSnapshot(
  node: Node,
  key: string,
  start: { readonly asked: AskedChange; readonly watch: Watch },
): Promise<void> {
  await withSettled(node, key, async (guest) => {
    await changeSettled(node, guest.uuid, start);
    const jobs = (findRunning(node, guest.uuid).guest.jobs ?? []).filter(({ type }) => type === "snapshot");
    const pairs = jobs.map(({ before, chain }) => ({ node: before[0] ?? "", overlay: chain[0]?.node ?? "" }));
    try {
      await tellMonitor(node, guest.uuid, snapshotCommand(pairs));
    } finally {
      // Whether it has gone over QEMU tells, whatever went wrong on the way.
      await settleJobs(node, guest.uuid);
    }
  });
}

/** What a disk's job is, how far QEMU is with it, and its limit in bytes a second, 0 for none; undefined: there is no job. */
export async function lookAtDisk(
  node: Node,
  key: string,
  path: string,
): Promise<{ readonly job: BlockJob; readonly qemu: QemuJob; readonly speed: number } | undefined> {
  const { guest } = findRunning(node, key);
  const job = findDiskJob(guest, path);
  if (job === undefined) return undefined;
  return await withMonitor(node, guest.uuid, async (monitor) => {
    const qemu = await findJob(monitor, job.job);
    return qemu === undefined ? undefined : { job, qemu, speed: await findSpeed(monitor, qemu.id) };
  });
}

/** How a job is to end: with the copy or the base in the disk's place, or with what the disk has. */
export type JobEnd = "pivot" | "abort";

/** Ends a disk's job. Throws "wrong-state" in libvirt's words, "failed" when it did not come to what was asked. */
export async function endBlockJob(
  node: Node,
  key: string,
  wish: { readonly path: string; readonly end: JobEnd; readonly isAsync?: boolean },
): Promise<void> {
  await withSettled(node, key, async (guest) => {
    const job = findDiskJob(guest, wish.path);
    if (job?.job === undefined) throw noJob(wish.path);
    if (wish.end === "pivot") return await pivot(node, guest, job);
    const { job: id } = job;
    await withMonitor(node, guest.uuid, async (monitor) => {
      await tellAbort(monitor, id);
      if (wish.isAsync !== true) await waitForState(node.host, monitor, { id, isThere: hasStopped });
    });
    await settleJobs(node, guest.uuid);
  });
}

/** In the record first: from the moment that QEMU goes over, whoever comes must know that it was wanted. */
async function pivot(node: Node, guest: GuestRecord, job: BlockJob): Promise<void> {
  await refuseUnready(node, guest, job);
  markPivot(node, guest, job);
  try {
    const ended = await settleJobs(node, guest.uuid);
    const own = ended.find((one) => one.job.disk === job.disk);
    if (own?.isDone === false) throw notPivoted(own);
  } catch (error) {
    const now = readRecord(node, guest.uuid);
    // It is not tried again behind anybody's back.
    if (now !== undefined && now.change === undefined) writeRecord(node, withJob(now, job));
    throw error;
  }
}

function markPivot(node: Node, guest: GuestRecord, job: BlockJob): void {
  writeRecord(node, withJob(guest, { ...job, pivots: true }));
}

/** With the disk's job as it is now, if there still is one. */
function withJob(guest: GuestRecord, job: BlockJob): GuestRecord {
  const jobs = guest.jobs?.map((one) => (one.disk === job.disk ? job : one));
  return { ...guest, ...(jobs === undefined ? {} : { jobs }) };
}

/** How fast a job may go; 0: as fast as it can. Throws "wrong-state" in libvirt's words. */
export async function paceBlockJob(
  node: Node,
  key: string,
  wish: { readonly path: string; readonly bytesPerSecond: number },
): Promise<void> {
  await withSettled(node, key, async (guest) => {
    const job = findDiskJob(guest, wish.path);
    if (job?.job === undefined) throw noJob(wish.path);
    const args = { device: job.job, speed: wish.bytesPerSecond };
    await withMonitor(node, guest.uuid, (monitor) => monitor.execute("block-job-set-speed", args));
  });
}

/** Under the guest's lock, with no change under way, and with those jobs carried out that have ended by now. */
export async function withSettled<Result>(
  node: Node,
  key: string,
  work: (guest: GuestRecord, ended: readonly EndedJob[]) => Promise<Result>,
): Promise<Result> {
  const { uuid } = findRunning(node, key);
  return await withGuestLock(node, uuid, async () => {
    await settleChange(node, findRunning(node, uuid).guest);
    const { guest } = findRunning(node, uuid);
    const { change } = guest;
    if (change !== undefined) throw notLetGo({ ...guest, change });
    const ended = await settleJobs(node, uuid);
    return await work(findRunning(node, uuid).guest, ended);
  });
}

/** The job of the disk that somebody names. Throws "not-found" in libvirt's words. */
export function findDiskJob(guest: GuestRecord, path: string): BlockJob | undefined {
  const { disks } = runningGuest(guest).domain.devices;
  const target = disks.find((disk) => isDiskNamed(disk, path))?.target.dev;
  if (target !== undefined) return guest.jobs?.find(({ disk }) => disk === target);
  throw new SvirtError(`invalid argument: disk '${path}' not found in domain`, {
    kind: "not-found",
    remedy: `svirt domblklist ${guest.name} shows the disks there are.`,
  });
}

/** qemuDomainBlockPivot() of libvirt */
async function refuseUnready(node: Node, guest: GuestRecord, job: BlockJob): Promise<void> {
  if (!replacesTop(job))
    throw wrongState(`job type '${job.type}' does not support pivot`, "Wait for its end.");
  const found = await withMonitor(node, guest.uuid, (monitor) => findJob(monitor, job.job));
  if (found?.status === "ready") return;
  throw wrongState(`block job '${job.job}' not ready for pivot yet`, "See how far it is: svirt blockjob");
}

/** As it is at this moment, whole: nothing takes the disk's place. qemuDomainBlockJobAbort() of libvirt */
async function tellAbort(monitor: Monitor, id: string): Promise<void> {
  const found = await findJob(monitor, id);
  if (found?.status === "ready") await monitor.execute("block-job-cancel", { device: id, force: false });
  else if (found !== undefined && !hasStopped(found)) await monitor.execute("job-cancel", { id });
}

function noJob(path: string): SvirtError {
  return wrongState(
    `Requested operation is not valid: disk ${path} does not have an active block job`,
    "svirt blockcommit, blockcopy and blockpull start one.",
  );
}

function notPivoted({ error, job }: EndedJob): SvirtError {
  return new SvirtError(`failed to pivot job for disk ${job.disk}: ${error ?? "QEMU has not done so"}`, {
    kind: "failed",
    remedy: "The disk is as before. See the guest's log.",
  });
}

function wrongState(message: string, remedy: string): SvirtError {
  return new SvirtError(message, { kind: "wrong-state", remedy });
}

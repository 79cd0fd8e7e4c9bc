import { isDiskNamed } from "../../domain/disk.ts";
import { SvirtError } from "../../errors.ts";
import type { Monitor } from "../../host.ts";
import type { BlockJob } from "../../plan/block-job.ts";
import { snapshotCommand } from "../../qemu/block-job-commands.ts";
import { findJob, findSpeed, type QemuJob, replacesTop, waitForEnd } from "../../run/block-job.ts";
import type { Watch } from "../../run/run-plan.ts";
import { type AskedChange, changeGuest, changeSettled, settleChange } from "../change-guest.ts";
import { withGuestLock } from "../clear-away.ts";
import { findRunning } from "../find-domain.ts";
import { withMonitor } from "../guest-monitor.ts";
import type { Node } from "../node.ts";
import type { GuestRecord } from "../record.ts";
import { runningGuest } from "../running-guest.ts";
import { type EndedJob, settleJobs } from "./settle-jobs.ts";

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
    const { arguments: args, execute } = snapshotCommand(pairs);
    try {
      await withMonitor(node, guest.uuid, (monitor) => monitor.execute(execute, args));
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
    if (job === undefined) throw noJob(wish.path);
    await withMonitor(node, guest.uuid, async (monitor) => {
      await tellEnd(monitor, job, wish.end);
      if (wish.isAsync !== true && job.job !== undefined) await waitForEnd(node.host, monitor, job.job);
    });
    const ended = await settleJobs(node, guest.uuid);
    const own = ended.find((one) => one.job.disk === job.disk);
    if (wish.end === "pivot" && own?.isDone === false) throw notPivoted(own);
  });
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
    if (guest.change === undefined) {
      const ended = await settleJobs(node, uuid);
      return await work(findRunning(node, uuid).guest, ended);
    }
    throw new SvirtError(
      `Cannot change the guest ${guest.name}: it has not let go yet (${guest.change.what})`,
      {
        kind: "wrong-state",
        remedy: "Detach that device in the guest, or ask it again by the same command.",
      },
    );
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

/** qemuDomainBlockPivot() and qemuDomainBlockJobAbort() of libvirt */
async function tellEnd(monitor: Monitor, job: BlockJob, end: JobEnd): Promise<void> {
  const qemu = await findJob(monitor, job.job);
  if (qemu === undefined) return;
  const { id, status } = qemu;
  if (end === "pivot") {
    if (!replacesTop(job))
      throw wrongState(`job type '${job.type}' does not support pivot`, "Wait for its end.");
    if (status !== "ready")
      throw wrongState(`block job '${id}' not ready for pivot yet`, `See how far it is: svirt blockjob`);
    await monitor.execute("job-complete", { id });
  } else if (status === "ready") {
    // As it is at this moment, whole: nothing takes the disk's place.
    await monitor.execute("block-job-cancel", { device: id, force: false });
  } else if (status !== "concluded") {
    await monitor.execute("job-cancel", { id });
  }
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

import { NO_OBSERVER } from "../../src/run/steps/run-plan.ts";
import type { Instance } from "../../src/state/instance.ts";
import { type CommitOptions, commitLive } from "../../src/vm/block/commit.ts";
import { type CopyOptions, copyLive } from "../../src/vm/block/copy.ts";
import { endBlockJob, type JobEnd, startBlockJob, takeSnapshot } from "../../src/vm/block/jobs.ts";
import { pullLive } from "../../src/vm/block/pull.ts";
import { snapshotLive } from "../../src/vm/block/snapshot.ts";
import type { SnapshotOptions } from "../../src/vm/block/snapshot-options.ts";
import { waitForJob } from "../../src/vm/block/wait-for-job.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine, nodeOn, UUID } from "./scene.ts";

/** Folder of the images. */
export const IMAGES = "/var/lib/images";
/** Disk that changes: a qcow2 image with a raw backing file. */
const DISK = diskXml(`${IMAGES}/top.qcow2`, "vda");

/** Returns a machine on which the default guest is defined and runs, with that disk and further ones. */
export async function machineWithChain(more = "", disk = DISK): Promise<Machine> {
  const machine = makeMachine();
  const xml = domainXml({ disks: disk + more });
  await defineDomain(nodeOn(machine), xml);
  await startDomain(nodeOn(machine), xml);
  return machine;
}

/** Takes a snapshot of the disks. */
export async function takeOn(instance: Instance, options: Partial<SnapshotOptions> = {}): Promise<void> {
  const whole = { name: "s1", disks: [], reuses: false, ...options };
  await takeSnapshot(instance, UUID, { request: snapshotLive(instance, whole), observer: NO_OBSERVER });
}

/** Starts a commit of the disk's image into its backing file. */
export async function commitOn(instance: Instance, options: Partial<CommitOptions> = {}): Promise<void> {
  const whole: CommitOptions = {
    path: "vda",
    top: undefined,
    base: undefined,
    isShallow: false,
    isActive: true,
    bytesPerSecond: undefined,
    ...options,
  };
  await startBlockJob(instance, UUID, { request: commitLive(instance, whole), observer: NO_OBSERVER });
}

/** Starts a copy of the disk. */
export async function copyOn(instance: Instance, options: Partial<CopyOptions> = {}): Promise<void> {
  const whole: CopyOptions = {
    path: "vda",
    dest: `${IMAGES}/copy.qcow2`,
    storage: "file",
    format: "qcow2",
    isShallow: false,
    reuses: false,
    bytesPerSecond: undefined,
    granularity: undefined,
    bufferBytes: undefined,
    isSynchronous: false,
    ...options,
  };
  await startBlockJob(instance, UUID, { request: copyLive(instance, whole), observer: NO_OBSERVER });
}

/** Starts a pull of the backing files into the disk's image. */
export async function pullOn(instance: Instance, base?: string, path = "vda"): Promise<void> {
  const options = { path, base, bytesPerSecond: undefined };
  await startBlockJob(instance, UUID, { request: pullLive(instance, options), observer: NO_OBSERVER });
}

/** Waits until the job of the disk makes no further progress. Returns the result of waitForJob(). */
export async function waitOn(instance: Instance): Promise<string> {
  const wait = { path: "vda", timeoutMs: undefined, onProgress: () => undefined };
  return await waitForJob(instance, UUID, wait);
}

/** Ends the disk's job. */
export async function endOn(instance: Instance, end: JobEnd): Promise<void> {
  await endBlockJob(instance, UUID, { path: "vda", end });
}

import { UNWATCHED } from "../../src/run/steps/run-plan.ts";
import type { Node } from "../../src/state/instance.ts";
import { type CommitWish, commitLive } from "../../src/vm/block/commit.ts";
import { type CopyWish, copyLive } from "../../src/vm/block/copy.ts";
import { endBlockJob, type JobEnd, startBlockJob, takeSnapshot } from "../../src/vm/block/jobs.ts";
import { pullLive } from "../../src/vm/block/pull.ts";
import { type SnapshotWish, snapshotLive } from "../../src/vm/block/snapshot.ts";
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
export async function takeOn(node: Node, wish: Partial<SnapshotWish> = {}): Promise<void> {
  const whole = { name: "s1", disks: [], reuses: false, ...wish };
  await takeSnapshot(node, UUID, { asked: snapshotLive(node, whole), watch: UNWATCHED });
}

/** Starts a commit of the disk's image into its backing file. */
export async function commitOn(node: Node, wish: Partial<CommitWish> = {}): Promise<void> {
  const whole: CommitWish = {
    path: "vda",
    top: undefined,
    base: undefined,
    isShallow: false,
    isActive: true,
    bytesPerSecond: undefined,
    ...wish,
  };
  await startBlockJob(node, UUID, { asked: commitLive(node, whole), watch: UNWATCHED });
}

/** Starts a copy of the disk. */
export async function copyOn(node: Node, wish: Partial<CopyWish> = {}): Promise<void> {
  const whole: CopyWish = {
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
    ...wish,
  };
  await startBlockJob(node, UUID, { asked: copyLive(node, whole), watch: UNWATCHED });
}

/** Starts a pull of the backing files into the disk's image. */
export async function pullOn(node: Node, base?: string, path = "vda"): Promise<void> {
  const wish = { path, base, bytesPerSecond: undefined };
  await startBlockJob(node, UUID, { asked: pullLive(node, wish), watch: UNWATCHED });
}

/** Waits until the job of the disk makes no further progress. Returns the result of waitForJob(). */
export async function waitOn(node: Node): Promise<string> {
  const wait = { path: "vda", timeoutMs: undefined, onProgress: () => undefined };
  return await waitForJob(node, UUID, wait);
}

/** Ends the disk's job. */
export async function endOn(node: Node, end: JobEnd): Promise<void> {
  await endBlockJob(node, UUID, { path: "vda", end });
}

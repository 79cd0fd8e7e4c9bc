import { SvirtError } from "../../errors.ts";
import type { Progress } from "../../run/actor.ts";
import type { Instance } from "../../state/instance.ts";
import { askAbort, forgetJob, isAbortAsked, type NotedJob, noteJob, readJob } from "../../state/jobs.ts";
import type { GuestRecord } from "../../state/record.ts";
import { findRunning } from "../guest/find-domain.ts";

/** Time between two notes. */
const EVERY_MS = 100;

/** A save or dump that a process carries out. Times in milliseconds. */
export interface DomainJob {
  readonly operation: NotedJob["operation"];
  readonly elapsedMs: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/**
 * Does the work of a job, whose progress other calls see, and which they can abort. Throws the errors of the work; "failed" with
 * libvirt's message if it is aborted.
 */
export async function withJob<Result>(
  instance: Instance,
  {
    onProgress,
    operation,
    uuid,
  }: Pick<NotedJob, "operation"> & {
    readonly uuid: string;
    readonly onProgress: Progress | undefined;
  },
  work: (onProgress: Progress) => Promise<Result>,
): Promise<Result> {
  const { host } = instance;
  let startedMs: number | undefined;
  let notedMs = 0;
  try {
    return await work((doneBytes, totalBytes) => {
      const nowMs = host.nowMs();
      // The first progress comes under the guest's lock: only then no other job has the files.
      if (startedMs === undefined) forgetJob(instance, uuid);
      else if (isAbortAsked(instance, uuid)) throw aborted(operation);
      startedMs ??= nowMs;
      if (nowMs - notedMs >= EVERY_MS) {
        notedMs = nowMs;
        noteJob(instance, uuid, { operation, startedMs, doneBytes, totalBytes });
      }
      onProgress?.(doneBytes, totalBytes);
    });
  } finally {
    if (startedMs !== undefined) forgetJob(instance, uuid);
  }
}

/** Returns the job of a running guest; undefined: none. Throws "wrong-state" if the domain is off. */
export function getDomainJob(instance: Instance, key: string): DomainJob | undefined {
  const { guest } = findRunning(instance, key);
  const job = jobOf(instance, guest);
  if (job === undefined) return undefined;
  const { startedMs, ...facts } = job;
  return { ...facts, elapsedMs: Math.max(0, instance.host.nowMs() - startedMs) };
}

/** Has the process that carries out a guest's job abort it. Throws "wrong-state" in libvirt's words without a job. */
export function abortDomainJob(instance: Instance, key: string): void {
  const { guest } = findRunning(instance, key);
  if (jobOf(instance, guest) === undefined) throw notValid("no job is active on the domain");
  if (guest.change?.steps.some((step) => step.do === "dump-memory") === true)
    throw notValid("cannot abort memory-only dump");
  askAbort(instance, guest.uuid);
}

function jobOf(instance: Instance, { change, uuid }: GuestRecord): NotedJob | undefined {
  const isJob = change?.steps.some((step) => step.do === "save-memory" || step.do === "dump-memory");
  return isJob === true ? readJob(instance, uuid) : undefined;
}

/** qemuMigrationJobCheckStatus() of libvirt */
function aborted(operation: NotedJob["operation"]): SvirtError {
  const what = operation === "save" ? "domain save job" : "domain core dump job";
  return new SvirtError(`operation aborted: ${what}: canceled by client`, {
    kind: "failed",
    libvirt: "OPERATION_ABORTED",
    remedy: "Repeat the command if the state is wanted: the guest runs as before.",
  });
}

/** qemuDomainAbortJobFlags() of libvirt */
function notValid(why: string): SvirtError {
  return new SvirtError(`Requested operation is not valid: ${why}`, {
    kind: "wrong-state",
    remedy: "Query the domain's job first: svirt domjobinfo DOMAIN",
  });
}

import { SvirtError } from "../../errors.ts";
import type { Progress } from "../../run/actor.ts";
import type { Instance } from "../../state/instance.ts";
import { askAbort, forgetJob, isAbortAsked, type NotedJob, noteJob, readJob } from "../../state/jobs.ts";
import type { GuestRecord } from "../../state/record.ts";
import { noteDomain, readNotes } from "../../state/reports/domain-notes.ts";
import { findDomain, findRunning } from "../guest/find-domain.ts";
import type { DomainJob } from "./job-statistics.ts";

/** Time between two notes. */
const EVERY_MS = 100;

/**
 * Does the work of a job, with its progress visible to other calls, and open to an abort by them. Its success
 * is noted for clients waiting for events. Throws the errors of the work; "failed" with libvirt's message if
 * it is aborted.
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
  work: (told: {
    readonly onProgress: Progress;
    readonly onDone: (guest: GuestRecord) => Promise<void>;
  }) => Promise<Result>,
): Promise<Result> {
  const { host } = instance;
  let startedMs: number | undefined;
  let notedMs = 0;
  let last = { doneBytes: 0, totalBytes: 0 };
  const onDone = async (guest: GuestRecord): Promise<void> => {
    const elapsedMs = startedMs === undefined ? 0 : Math.max(0, host.nowMs() - startedMs);
    await noteDomain(instance, guest, { report: "job-completed", operation, elapsedMs, ...last });
  };
  try {
    const told = (doneBytes: number, totalBytes: number): void => {
      const nowMs = host.nowMs();
      // The first progress comes under the guest's lock: only then no other job has the files.
      if (startedMs === undefined) forgetJob(instance, uuid);
      else if (isAbortAsked(instance, uuid)) throw aborted(operation);
      startedMs ??= nowMs;
      last = { doneBytes, totalBytes };
      if (nowMs - notedMs >= EVERY_MS) {
        notedMs = nowMs;
        noteJob(instance, uuid, { operation, startedMs, doneBytes, totalBytes });
      }
      onProgress?.(doneBytes, totalBytes);
    };
    return await work({ onProgress: told, onDone });
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

/**
 * Returns the last successful job of a domain, with its numbers at its end; undefined: none is known, or
 * another goes on. It is known as long as the domain runs, and for about a minute after its end. Throws
 * "not-found". qemuDomainGetJobStatsInternal() of libvirt
 */
export function getCompletedJob(instance: Instance, key: string): DomainJob | undefined {
  const { guest, uuid } = findDomain(instance, key);
  if (guest !== undefined && jobOf(instance, guest) !== undefined) return undefined;
  const notes = readNotes(instance, uuid)?.notes ?? [];
  const found = notes.findLast(({ what }) => what.report === "job-completed")?.what;
  return found?.report === "job-completed" ? found : undefined;
}

/**
 * Has the process that carries out a guest's job abort it. Throws "wrong-state" in libvirt's words without a
 * job.
 */
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

/** qemuMigrationJobName() of libvirt */
const NAMES: Readonly<Record<NotedJob["operation"], string>> = {
  save: "domain save job",
  dump: "domain core dump job",
  snapshot: "snapshot",
};

/** qemuMigrationJobCheckStatus() of libvirt */
function aborted(operation: NotedJob["operation"]): SvirtError {
  return new SvirtError(`operation aborted: ${NAMES[operation]}: canceled by client`, {
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

import { abortDomainJob, getCompletedJob, getDomainJob } from "../../../vm/save/domain-job.ts";
import { type DomainJob, jobStatistics } from "../../../vm/save/job-statistics.ts";
import { int, struct, uhyper } from "../../xdr/form.ts";
import { jobParameters, statsOf } from "../events/job-parameters.ts";
import { keyOf, nothing, ofDomain, ofDomainWithFlags } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** virDomainGetJobStatsFlags of libvirt's libvirt-domain.h */
const JOB_FLAGS = 3;
/**
 * VIR_DOMAIN_JOB_STATS_COMPLETED: the last job that has ended. A reading forgets it in no case, as with
 * _KEEP_COMPLETED.
 */
const COMPLETED_FLAG = 1;
/** VIR_DOMAIN_JOB_NONE, VIR_DOMAIN_JOB_UNBOUNDED and VIR_DOMAIN_JOB_COMPLETED of virDomainJobType */
const [NO_JOB, UNBOUNDED, COMPLETED] = [0, 2, 3];
/** Fields of virDomainJobInfo after its type. */
const JOB_NUMBERS = [
  ...(["timeElapsed", "timeRemaining", "dataTotal", "dataProcessed", "dataRemaining"] as const),
  ...(["memTotal", "memProcessed", "memRemaining", "fileTotal", "fileProcessed", "fileRemaining"] as const),
];
type JobNumber = (typeof JOB_NUMBERS)[number];

/** Procedures about the saving or dumping job of a domain, in this or another process. */
export const jobProcedures: readonly Procedure[] = [
  procedure({
    number: 163,
    api: "virDomainGetJobInfo",
    args: ofDomain,
    result: struct({
      type: int,
      ...(Object.fromEntries(JOB_NUMBERS.map((name) => [name, uhyper])) as Record<JobNumber, typeof uhyper>),
    }),
    run(call) {
      const job = getDomainJob(call.instance, keyOf(call));
      const known = job === undefined ? new Map<string, number>() : numbersOf(job);
      const numbers = Object.fromEntries(JOB_NUMBERS.map((name) => [name, BigInt(known.get(name) ?? 0)]));
      return { type: job === undefined ? NO_JOB : UNBOUNDED, ...(numbers as Record<JobNumber, bigint>) };
    },
  }),
  procedure({
    number: 298,
    api: "virDomainGetJobStats",
    args: ofDomainWithFlags,
    flags: { known: JOB_FLAGS, refusedBy: "qemuDomainGetJobStats" },
    result: struct({ type: int, params: jobParameters }),
    run(call) {
      const key = keyOf(call);
      const isCompleted = (call.args.flags & COMPLETED_FLAG) !== 0;
      const job = isCompleted ? getCompletedJob(call.instance, key) : getDomainJob(call.instance, key);
      if (job === undefined) return { type: NO_JOB, params: [] };
      return { type: isCompleted ? COMPLETED : UNBOUNDED, params: statsOf(job) };
    },
  }),
  procedure({
    number: 164,
    api: "virDomainAbortJob",
    args: ofDomain,
    result: nothing,
    run(call) {
      abortDomainJob(call.instance, keyOf(call));
      return {};
    },
  }),
  procedure({
    number: 442,
    api: "virDomainAbortJobFlags",
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainAbortJobFlags" },
    result: nothing,
    run(call) {
      abortDomainJob(call.instance, keyOf(call));
      return {};
    },
  }),
];

/** Fields of virDomainJobInfo other than 0, by libvirt's names of statistics. */
const FIELDS: ReadonlyMap<string, JobNumber> = new Map([
  ["time_elapsed", "timeElapsed"],
  ["data_total", "dataTotal"],
  ["data_processed", "dataProcessed"],
  ["data_remaining", "dataRemaining"],
  ["memory_total", "memTotal"],
  ["memory_processed", "memProcessed"],
  ["memory_remaining", "memRemaining"],
]);

function numbersOf(job: DomainJob): ReadonlyMap<JobNumber, number> {
  return new Map(
    jobStatistics(job).flatMap(([name, value]) => {
      const field = FIELDS.get(name);
      return field === undefined ? [] : [[field, value] as const];
    }),
  );
}

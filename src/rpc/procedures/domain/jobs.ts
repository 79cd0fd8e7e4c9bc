import { abortDomainJob, type DomainJob, getDomainJob } from "../../../vm/save/domain-job.ts";
import { array, int, struct, uhyper } from "../../xdr/form.ts";
import { type TypedParameter, typedParameter } from "../../xdr/typed-parameter.ts";
import { keyOf, nothing, ofDomain, ofDomainWithFlags } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** virDomainGetJobStatsFlags of libvirt's libvirt-domain.h */
const JOB_FLAGS = 3;
/** VIR_DOMAIN_JOB_NONE and VIR_DOMAIN_JOB_UNBOUNDED of virDomainJobType */
const [NO_JOB, UNBOUNDED] = [0, 2];
/** virDomainJobOperation of libvirt's libvirt-domain.h */
const OPERATIONS: Readonly<Record<DomainJob["operation"], number>> = { save: 2, dump: 8 };
/** REMOTE_DOMAIN_JOB_STATS_MAX of libvirt's remote_protocol.x */
const MOST_JOB_STATS = 64;
/** Fields of virDomainJobInfo after its type. */
const JOB_NUMBERS = [
  ...(["timeElapsed", "timeRemaining", "dataTotal", "dataProcessed", "dataRemaining"] as const),
  ...(["memTotal", "memProcessed", "memRemaining", "fileTotal", "fileProcessed", "fileRemaining"] as const),
];
type JobNumber = (typeof JOB_NUMBERS)[number];

/** Procedures about the job that saves or dumps a domain, which this or another process carries out. */
export const jobProcedures: readonly Procedure[] = [
  procedure({
    number: 163,
    api: "virDomainGetJobInfo",
    access: "reads",
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
    access: "reads",
    args: ofDomainWithFlags,
    flags: { known: JOB_FLAGS, refusedBy: "qemuDomainGetJobStats" },
    result: struct({ type: int, params: array(typedParameter, MOST_JOB_STATS) }),
    run(call) {
      const key = keyOf(call);
      // With the flags it is about a job that has ended, of which nothing is kept.
      const job = call.args.flags === 0 ? getDomainJob(call.instance, key) : undefined;
      return job === undefined ? { type: NO_JOB, params: [] } : { type: UNBOUNDED, params: statsOf(job) };
    },
  }),
  procedure({
    number: 164,
    api: "virDomainAbortJob",
    access: "changes",
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
    access: "changes",
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainAbortJobFlags" },
    result: nothing,
    run(call) {
      abortDomainJob(call.instance, keyOf(call));
      return {};
    },
  }),
];

/** Returns the fields of virDomainJobInfo that are not 0. All data is memory. */
function numbersOf({ doneBytes, elapsedMs, totalBytes }: DomainJob): ReadonlyMap<JobNumber, number> {
  const [total, done] = [Math.round(totalBytes), Math.round(doneBytes)];
  const remaining = Math.max(0, total - done);
  return new Map<JobNumber, number>([
    ["timeElapsed", Math.round(elapsedMs)],
    ["dataTotal", total],
    ["dataProcessed", done],
    ["dataRemaining", remaining],
    ["memTotal", total],
    ["memProcessed", done],
    ["memRemaining", remaining],
  ]);
}

/** VIR_DOMAIN_JOB_OPERATION of libvirt's libvirt-domain.h and its like, by the fields of virDomainJobInfo. */
const STATS: readonly (readonly [field: string, of: JobNumber])[] = [
  ["time_elapsed", "timeElapsed"],
  ["data_total", "dataTotal"],
  ["data_processed", "dataProcessed"],
  ["data_remaining", "dataRemaining"],
  ["memory_total", "memTotal"],
  ["memory_processed", "memProcessed"],
  ["memory_remaining", "memRemaining"],
];

function statsOf(job: DomainJob): readonly TypedParameter[] {
  const numbers = numbersOf(job);
  return [
    { field: "operation", value: { type: "int", value: OPERATIONS[job.operation] } },
    ...STATS.map(
      ([field, of]): TypedParameter => ({
        field,
        value: { type: "ullong", value: BigInt(numbers.get(of) ?? 0) },
      }),
    ),
  ];
}

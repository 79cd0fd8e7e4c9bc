import { type DomainJob, jobStatistics } from "../../../vm/save/job-statistics.ts";
import { array } from "../../xdr/form.ts";
import { type TypedParameter, typedParameter } from "../../xdr/typed-parameter.ts";

/** REMOTE_DOMAIN_JOB_STATS_MAX of libvirt's remote_protocol.x */
const MOST_JOB_STATS = 64;

/** Statistics of a job. */
export const jobParameters = array(typedParameter, MOST_JOB_STATS);

/** Returns the statistics of a job with their types. */
export function statsOf(job: DomainJob): readonly TypedParameter[] {
  return jobStatistics(job).map(([field, value]) => ({
    field,
    value: field === "operation" ? { type: "int", value } : { type: "ullong", value: BigInt(value) },
  }));
}

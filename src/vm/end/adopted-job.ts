import type { BlockJob } from "../../plan/facts/block-job.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { GuestRecord } from "../../state/record.ts";

/** Block job whose images a guest gets, and the step by which it does. */
interface AdoptedJob {
  readonly adopted: Extract<Step, { do: "adopt-chain" }>;
  readonly job: BlockJob;
}

/** Returns the block job whose images the change that is being finished gives to the guest. */
export function findAdopted({
  change,
  jobs = [],
}: Pick<GuestRecord, "change" | "jobs">): AdoptedJob | undefined {
  const adopted = change?.after.find((step) => step.do === "adopt-chain");
  const job = jobs.find(({ device }) => device === adopted?.device);
  return adopted === undefined || job === undefined ? undefined : { adopted, job };
}

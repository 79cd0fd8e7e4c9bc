import type { BlockJob } from "../../plan/facts/block-job.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { GuestRecord } from "../../state/record.ts";

/** Block job with images for a guest, and the step with the change to them. */
interface AdoptedJob {
  readonly adopted: Extract<Step, { do: "adopt-chain" }>;
  readonly job: BlockJob;
}

/** Returns the block job with images for the guest after the change being finished. */
export function findAdopted({
  change,
  jobs = [],
}: Pick<GuestRecord, "change" | "jobs">): AdoptedJob | undefined {
  const adopted = change?.after.find((step) => step.do === "adopt-chain");
  const job = jobs.find(({ device }) => device === adopted?.device);
  return adopted === undefined || job === undefined ? undefined : { adopted, job };
}

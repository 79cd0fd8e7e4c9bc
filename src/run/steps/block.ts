import type { BlockStep } from "../../plan/steps/block.ts";
import { changeFileLabel, type LabelActor } from "../labels/file-label.ts";
import { cancelJob, dismissJob, startJob } from "./block-job.ts";
import { makeImage, removeImage } from "./make-image.ts";
import { setAccess } from "./set-access.ts";

/** Carries out a step on the images of a disk. Throws the errors of the host. */
export async function runBlockStep(actor: LabelActor, step: BlockStep): Promise<void> {
  const { host } = actor;
  switch (step.do) {
    case "make-image":
      return makeImage(host, step);
    case "remove-image":
      return removeImage(host, step);
    case "change-label":
      return changeFileLabel(actor, step);
    case "set-access":
      return await setAccess(host, step);
    case "start-job":
      return await startJob(host, step);
    case "cancel-job":
      return await cancelJob(host, step);
    case "adopt-chain":
      return await dismissJob(host, step);
  }
}

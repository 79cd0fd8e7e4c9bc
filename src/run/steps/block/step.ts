import type { BlockStep } from "../../../plan/steps/block.ts";
import { changeFileLabel } from "../../labels/file-label.ts";
import type { Runs } from "../step-effects.ts";
import { cancelJob, dismissJob, startJob } from "./block-job.ts";
import { makeImage, removeImage } from "./make-image.ts";
import { setAccess } from "./set-access.ts";

/** Effects of the steps on images of a disk. */
export const runBlock: Runs<BlockStep> = {
  "make-image": ({ headers, host }, step) => makeImage(host, step, headers),
  "remove-image": ({ host }, step) => removeImage(host, step),
  "change-label": changeFileLabel,
  "set-access": ({ host }, step) => setAccess(host, step),
  "start-job": ({ host }, step) => startJob(host, step),
  "cancel-job": ({ host }, step) => cancelJob(host, step),
  "adopt-chain": ({ host }, step) => dismissJob(host, step),
};

import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { handedFile } from "../facts/guest-order.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";
import { claim, monitorCommand } from "../facts/step-parts.ts";

const newImage = {
  path: aString,
  image: v.strictObject({
    format: v.picklist(["raw", "qcow2"]),
    sizeBytes: aNumber,
    backing: v.exactOptional(v.strictObject({ path: aString, format: aString })),
  }),
};

/** Creates an empty image where no file exists. */
const makeImageStep = v.strictObject({ do: v.literal("make-image"), ...newImage });

/** Removes an image that is still empty. Another file at its path stays. */
const removeImageStep = v.strictObject({ do: v.literal("remove-image"), ...newImage });

/** Changes a guest's access to a file that it has: the claim, and with it the label and the rule that keeps it. */
const changeLabelStep = v.strictObject({
  do: v.literal("change-label"),
  file: fileId,
  from: claim,
  to: claim,
  /** Rule of a device node, if udevd runs. */
  udevRule: v.exactOptional(v.strictObject({ path: aString, type: v.picklist(["block", "character"]) })),
});

/**
 * Has QEMU reopen the files of an image for reading or for writing, and release its former descriptors. Each file keeps its
 * descriptor set. `nodes` are all nodes of the image, with every option.
 */
const setAccessStep = v.strictObject({
  do: v.literal("set-access"),
  monitor: aString,
  files: v.array(handedFile),
  nodes: v.array(v.record(aString, v.unknown())),
});

/** Starts a copy, commit or pull in QEMU. The order of images changes only by a later command. */
const startJobStep = v.strictObject({
  do: v.literal("start-job"),
  monitor: aString,
  job: aString,
  command: monitorCommand,
  /** Image that svirt created for the job. It stays from this step on, even if the job fails. */
  made: maybeString,
});

/** Cancels a job in any state. A missing job is no error. */
const cancelJobStep = v.strictObject({
  do: v.literal("cancel-job"),
  monitor: aString,
  job: aString,
});

/**
 * Adopts QEMU's new order of a device's images and dismisses the job. `chain` are their nodes, top first; empty if the order
 * is unchanged.
 */
const adoptChainStep = v.strictObject({
  do: v.literal("adopt-chain"),
  monitor: aString,
  job: maybeString,
  device: aString,
  chain: v.array(aString),
  /** Image that svirt created for the job, which is now the guest's. */
  made: maybeString,
});

/** Step on the images of a disk of a running guest. */
export const blockStep = v.variant("do", [
  makeImageStep,
  removeImageStep,
  changeLabelStep,
  setAccessStep,
  startJobStep,
  cancelJobStep,
  adoptChainStep,
]);
export type BlockStep = v.InferOutput<typeof blockStep>;

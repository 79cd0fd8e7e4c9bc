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

/** An empty image comes to be where nothing is. */
const makeImageStep = v.strictObject({ do: v.literal("make-image"), ...newImage });

/** It goes again, as long as nobody has written into it. Another file at its path stays. */
const removeImageStep = v.strictObject({ do: v.literal("remove-image"), ...newImage });

/** What a guest may do to a file that it has changes: the claim, and with it the label and the rule that keeps it. */
const changeLabelStep = v.strictObject({
  do: v.literal("change-label"),
  file: fileId,
  from: claim,
  to: claim,
  /** Of a device node, where udevd runs. */
  udevRule: v.exactOptional(v.strictObject({ path: aString, type: v.picklist(["block", "character"]) })),
});

/**
 * QEMU opens the files of an image anew, for reading or for writing, and lets go of what it held before: each file goes
 * into the set that it has. `nodes` are all that the image consists of, with every option.
 */
const setAccessStep = v.strictObject({
  do: v.literal("set-access"),
  monitor: aString,
  files: v.array(handedFile),
  nodes: v.array(v.record(aString, v.unknown())),
});

/** QEMU begins to copy, commit or pull. It changes nothing about who stands on whom before it is told to. */
const startJobStep = v.strictObject({
  do: v.literal("start-job"),
  monitor: aString,
  job: aString,
  command: monitorCommand,
  /** An image that was made for it: whatever comes, it stays from now on. */
  made: maybeString,
});

/** A job is given up, in whatever state it is. Not there is fine. */
const cancelJobStep = v.strictObject({
  do: v.literal("cancel-job"),
  monitor: aString,
  job: aString,
});

/**
 * QEMU has rearranged the images of a device, and forgets the job that did it. `chain` are their nodes, top first; none
 * when they are as before.
 */
const adoptChainStep = v.strictObject({
  do: v.literal("adopt-chain"),
  monitor: aString,
  job: maybeString,
  device: aString,
  chain: v.array(aString),
  /** An image that was made for it, and now is the guest's. */
  made: maybeString,
});

/** What is done to the images of a disk, while its guest runs. */
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

import * as v from "valibot";
import { passphraseName } from "../facts/block-job.ts";
import { listFiles } from "../facts/describe-passed.ts";
import { fileId } from "../facts/file.ts";
import { passedFile } from "../facts/launch-spec.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";
import { accessTo } from "../facts/released-resource.ts";
import { type Claim, claim, monitorCommand } from "../facts/step-parts.ts";
import { type Kinds, noInverse } from "./kind.ts";

/** Image to create, and its path. */
export const newImage = {
  path: aString,
  image: v.strictObject({
    format: v.picklist(["raw", "qcow2"]),
    sizeBytes: aNumber,
    backing: v.exactOptional(v.strictObject({ path: aString, format: aString })),
    /** Encryption by LUKS. Neither the passphrase nor a key is here. */
    luks: v.exactOptional(
      v.strictObject({
        cipher: v.strictObject({ bits: v.picklist([128, 256]), hash: v.picklist(["sha256", "sha512"]) }),
        secret: passphraseName,
      }),
    ),
  }),
};

/** Creates an empty image where no file exists. */
const makeImage = v.strictObject({ do: v.literal("make-image"), ...newImage });

/** Removes a still empty image. Another file at its path stays. */
const removeImage = v.strictObject({ do: v.literal("remove-image"), ...newImage });

/** Changes a guest's access to one of its files: the claim, and with it the label and the rule to keep it. */
const changeLabel = v.strictObject({
  do: v.literal("change-label"),
  file: fileId,
  from: claim,
  to: claim,
  /** Rule of a device node, if udevd runs. */
  udevRule: v.exactOptional(v.strictObject({ path: aString, type: v.picklist(["block", "character"]) })),
});

/**
 * Has QEMU reopen the files of an image for reading or for writing, and release its former descriptors. Each
 * file keeps its descriptor set. `nodes` are all nodes of the image, with every option.
 */
const setAccess = v.strictObject({
  do: v.literal("set-access"),
  monitor: aString,
  files: v.array(passedFile),
  nodes: v.array(v.record(aString, v.unknown())),
});

/** Starts a copy, commit or pull in QEMU. The order of images changes only by a later command. */
const startJob = v.strictObject({
  do: v.literal("start-job"),
  monitor: aString,
  job: aString,
  command: monitorCommand,
  /** Image that svirt created for the job. It stays from this step on, even if the job fails. */
  made: maybeString,
});

/** Cancels a job in any state. A missing job is not an error. */
const cancelJob = v.strictObject({
  do: v.literal("cancel-job"),
  monitor: aString,
  job: aString,
});

/**
 * Adopts QEMU's new order of a device's images and dismisses the job. `chain` are their nodes, top first;
 * empty if the order is unchanged.
 */
const adoptChain = v.strictObject({
  do: v.literal("adopt-chain"),
  monitor: aString,
  job: maybeString,
  device: aString,
  chain: v.array(aString),
  /** Image created by svirt for the job, now the guest's. */
  made: maybeString,
});

/** Step on the images of a disk of a running guest. */
export type BlockStep = v.InferOutput<
  | typeof makeImage
  | typeof removeImage
  | typeof changeLabel
  | typeof setAccess
  | typeof startJob
  | typeof cancelJob
  | typeof adoptChain
>;

/** Definition of each kind of step in this file. */
export const blockSteps: Kinds<BlockStep> = {
  "make-image": {
    schema: makeImage,
    inverse: (done) => ({ ...done, do: "remove-image" }),
    describe: (step) => `create the image ${step.path}: ${describeImage(step)}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "remove-image": {
    schema: removeImage,
    inverse: noInverse,
    describe: ({ path }) => `remove the image ${path} if it is unchanged`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "change-label": {
    schema: changeLabel,
    inverse: (done) => ({ ...done, from: done.to, to: done.from }),
    describe: ({ file, from, to }) => `label ${file.path}: ${describeUse(from)} -> ${describeUse(to)}`,
    where: "host",
    record: "kept",
    releases: ({ file, to }) => (to.sharing === "shared" ? accessTo(file, "writing") : undefined),
  },
  "set-access": {
    schema: setAccess,
    inverse: inverseAccess,
    describe: ({ files }) =>
      `limit QEMU's access to ${listFiles(files.map(({ access, file }) => `${file.path} (${access})`))}`,
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  "start-job": {
    schema: startJob,
    inverse: ({ job, monitor }) => ({ do: "cancel-job", monitor, job }),
    describe: ({ command, job }) => `start ${command.execute} in QEMU as job ${job}`,
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  "cancel-job": {
    schema: cancelJob,
    inverse: noInverse,
    describe: ({ job }) => `cancel the job ${job}`,
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  "adopt-chain": {
    schema: adoptChain,
    inverse: noInverse,
    describe: ({ chain, device }) =>
      chain.length === 0
        ? `discard the new images of ${device}`
        : `record the images of ${device}: ${chain.join(", ")}`,
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
};

function inverseAccess(done: v.InferOutput<typeof setAccess>): BlockStep {
  return {
    ...done,
    files: done.files.map((file) => ({
      ...file,
      access: file.access === "read-only" ? "read-write" : "read-only",
      ...(file.lock === undefined
        ? {}
        : { lock: { ...file.lock, as: file.access === "read-only" ? "writer" : "reader" } as const }),
    })),
    nodes: done.nodes.map((node) => ({ ...node, "read-only": node["read-only"] !== true })),
  };
}

function describeImage({ image }: v.InferOutput<typeof makeImage>): string {
  const below =
    image.backing === undefined ? "" : `, backing file ${image.backing.path} (${image.backing.format})`;
  const encrypted = image.luks === undefined ? "" : ", encrypted";
  return `${image.format}, ${image.sizeBytes} bytes${encrypted}${below}`;
}

function describeUse({ label, sharing }: Claim): string {
  return `${label ?? "its own label"} (${sharing})`;
}

import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { aString, maybeString } from "../facts/plain-schemas.ts";
import { accessTo } from "../facts/released-resource.ts";
import { claim } from "../facts/step-parts.ts";
import { type Kinds, noInverse } from "./kind.ts";

const NO_LABEL = "(no label)";

const setLabel = v.strictObject({
  do: v.literal("set-label"),
  file: fileId,
  claim,
  from: maybeString,
  to: aString,
});

const restoreLabel = v.strictObject({
  do: v.literal("restore-label"),
  file: fileId,
  claim,
  to: maybeString,
  from: aString,
});

const writeUdevRule = v.strictObject({
  do: v.literal("write-udev-rule"),
  path: aString,
  file: fileId,
  type: v.picklist(["block", "character"]),
  label: aString,
});

const removeUdevRule = v.strictObject({ do: v.literal("remove-udev-rule"), path: aString, file: fileId });

/** Step on the label of a file, or on the udev rule that keeps it. */
export type LabelStep = v.InferOutput<
  typeof setLabel | typeof restoreLabel | typeof writeUdevRule | typeof removeUdevRule
>;

/** Definition of each kind of step in this file. */
export const labelSteps: Kinds<LabelStep> = {
  "set-label": {
    schema: setLabel,
    inverse: (done) => ({
      do: "restore-label",
      file: done.file,
      claim: done.claim,
      from: done.to,
      ...(done.from === undefined ? {} : { to: done.from }),
    }),
    describe: ({ file, from, to }) => `label ${file.path}: ${from ?? NO_LABEL} -> ${to}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "restore-label": {
    schema: restoreLabel,
    inverse: noInverse,
    describe: ({ file, from, to }) => `label ${file.path}: ${from} -> ${to ?? NO_LABEL}`,
    where: "host",
    record: "kept",
    releases: ({ file }) => accessTo(file, "any"),
  },
  "write-udev-rule": {
    schema: writeUdevRule,
    inverse: ({ file, path }) => ({ do: "remove-udev-rule", path, file }),
    describe: ({ file, path }) => `write the udev rule that keeps the label of ${file.path} (${path})`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "remove-udev-rule": {
    schema: removeUdevRule,
    inverse: noInverse,
    describe: ({ file, path }) => `remove the udev rule for ${file.path} (${path})`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
};

import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { GIVEN_FORMATS } from "../facts/given-format.ts";
import { aString } from "../facts/plain-schemas.ts";
import { type Kinds, noInverse } from "./kind.ts";

const markFormat = v.strictObject({
  do: v.literal("mark-format"),
  file: fileId,
  format: v.picklist(GIVEN_FORMATS),
  /** Folder of svirt for files that keep no attribute. */
  folder: aString,
});

/**
 * Records the format in which a guest gets a file, or a folder with all files below it, before it can write
 * there.
 */
export type FormatStep = v.InferOutput<typeof markFormat>;

/** Definition of each kind of step in this file. */
export const formatMarkSteps: Kinds<FormatStep> = {
  "mark-format": {
    schema: markFormat,
    // The content stays what the guest wrote.
    inverse: noInverse,
    describe: ({ file, format }) => `mark ${file.path} as written by a guest in the format ${format}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
};

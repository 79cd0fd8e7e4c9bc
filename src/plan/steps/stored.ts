import * as v from "valibot";
import { aString, maybeString } from "../facts/plain-schemas.ts";
import { type Kinds, noInverse } from "./kind.ts";

/**
 * Replaces a whole text of svirt's own by one rename(2), writes a new one, or removes it. An absent text is a
 * missing file.
 */
const replaceText = v.strictObject({
  do: v.literal("replace-text"),
  path: aString,
  from: maybeString,
  to: maybeString,
  /** Paths in the new text alone. A text with them shows that the step has run, if it was changed since. */
  names: v.exactOptional(v.array(aString)),
});

/** Marks a definition to start at boot, by a symlink, or removes the mark. */
const setMark = v.strictObject({
  do: v.literal("set-mark"),
  path: aString,
  target: aString,
  isMarked: v.boolean(),
  wasMarked: v.boolean(),
});

/** Writes the value of a secret by one rename(2). The step does not contain the value. */
const setSecret = v.strictObject({ do: v.literal("set-secret"), secret: aString, path: aString });

/** Copies the stored value of a secret. Without a value it does nothing. */
const copySecret = v.strictObject({
  do: v.literal("copy-secret"),
  secret: aString,
  from: aString,
  to: aString,
});

/** Step on a file that shows whether the step has run. */
export type ShownStep = v.InferOutput<typeof replaceText | typeof setMark>;

/** Step on a file in which svirt stores an object. */
export type StoredStep = ShownStep | v.InferOutput<typeof setSecret | typeof copySecret>;

/** Definition of each kind of step in this file. */
export const storedSteps: Kinds<StoredStep> = {
  "replace-text": {
    schema: replaceText,
    inverse: ({ from, path, to }) => ({
      do: "replace-text",
      path,
      ...(to === undefined ? {} : { from: to }),
      ...(from === undefined ? {} : { to: from }),
    }),
    describe: ({ from, path, to }) => {
      if (to === undefined) return `remove ${path}`;
      return `${from === undefined ? "write" : "replace"} ${path}`;
    },
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "set-mark": {
    schema: setMark,
    inverse: (done) => ({ ...done, isMarked: done.wasMarked, wasMarked: done.isMarked }),
    describe: ({ isMarked, path, target }) =>
      isMarked ? `create the link ${path} to ${target}` : `remove the link ${path}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "set-secret": {
    schema: setSecret,
    // The former value is not kept. The step is the last one of its change.
    inverse: noInverse,
    describe: ({ path, secret }) => `write the value of secret ${secret} to ${path}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "copy-secret": {
    schema: copySecret,
    inverse: ({ to }) => ({ do: "remove-file", path: to }),
    describe: ({ from, secret, to }) => `copy the value of secret ${secret} from ${from} to ${to}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
};

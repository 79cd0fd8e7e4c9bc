import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";
import { type Kinds, noInverse } from "./kind.ts";

/**
 * Lets the guest's user open a file by name, as QEMU accepts no descriptor. The access ends once the file is
 * open.
 */
const grant = v.strictObject({
  do: v.literal("grant"),
  file: fileId,
  uid: aNumber,
  access: v.picklist(["read-only", "read-write"]),
});

const revoke = v.strictObject({ do: v.literal("revoke"), file: fileId, uid: aNumber });

/**
 * Puts the value of a secret into a file that only the guest's user reads, until QEMU has read it. No step
 * has the value.
 */
const writeSecret = v.strictObject({
  do: v.literal("write-secret"),
  /** UUID of the secret. */
  secret: aString,
  /** File of svirt with the value. */
  from: aString,
  path: aString,
  uid: aNumber,
  label: maybeString,
});

/** Step on the access of a guest's user to a file. */
export type AccessStep = v.InferOutput<typeof grant | typeof revoke | typeof writeSecret>;

/**
 * Definition of each kind of step in this file. After a change no record keeps such a step, because QEMU has
 * already opened the file.
 */
export const accessSteps: Kinds<AccessStep> = {
  grant: {
    schema: grant,
    inverse: ({ file, uid }) => ({ do: "revoke", file, uid }),
    describe: ({ access, file, uid }) => `let uid ${uid} open ${file.path} by name (${access})`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "write-secret": {
    schema: writeSecret,
    inverse: ({ path }) => ({ do: "remove-file", path }),
    describe: ({ label, path, secret, uid }) =>
      `write the value of secret ${secret} to ${path} (mode 400, uid ${uid}, ${label ?? "default label"})`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  revoke: {
    schema: revoke,
    inverse: noInverse,
    describe: ({ file, uid }) => `revoke uid ${uid}'s access to ${file.path}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
};

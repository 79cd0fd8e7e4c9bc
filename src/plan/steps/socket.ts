import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { aString, maybeString } from "../facts/plain-schemas.ts";
import { type Kinds, noInverse } from "./kind.ts";

const ownSocket = {
  path: aString,
  label: maybeString,
  /** The socket of a running guest, if it has no label by which it is recognized. */
  file: v.exactOptional(fileId),
};

/** Leaves a path free, where svirt creates the socket when it starts QEMU. */
const expectSocket = v.strictObject({ do: v.literal("expect-socket"), ...ownSocket });

/** Removes the guest's socket. Another program's socket at its path stays. */
const removeSocket = v.strictObject({ do: v.literal("remove-socket"), ...ownSocket });

/**
 * Creates a symlink where another program expects a socket. It points to the socket that QEMU creates in its
 * own folder.
 */
const linkSocket = v.strictObject({
  do: v.literal("link-socket"),
  folder: fileId,
  path: aString,
  target: aString,
  /** Label of the link, this guest's alone. */
  label: maybeString,
});
const unlinkSocket = v.strictObject({ do: v.literal("unlink-socket"), path: aString, target: aString });

/** Step on the path of a guest's socket. */
export type SocketStep = v.InferOutput<
  typeof expectSocket | typeof removeSocket | typeof linkSocket | typeof unlinkSocket
>;

/** Definition of each kind of step in this file. */
export const socketSteps: Kinds<SocketStep> = {
  "expect-socket": {
    schema: expectSocket,
    inverse: (done) => ({ ...done, do: "remove-socket" }),
    describe: ({ label, path }) => `reserve ${path} for a socket of the guest (${label ?? "default label"})`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "remove-socket": {
    schema: removeSocket,
    inverse: noInverse,
    describe: ({ path }) => `remove the socket ${path}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "link-socket": {
    schema: linkSocket,
    inverse: ({ path, target }) => ({ do: "unlink-socket", path, target }),
    describe: ({ path, target }) => `link ${path} to the guest's socket ${target}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "unlink-socket": {
    schema: unlinkSocket,
    inverse: noInverse,
    describe: ({ path }) => `remove the link ${path}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
};

import * as v from "valibot";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";
import { folderLimit } from "../facts/step-parts.ts";
import { type Kinds, noInverse } from "./kind.ts";

const MIB = 1024 * 1024;

const makeFolder = v.strictObject({
  do: v.literal("make-folder"),
  path: aString,
  mode: aNumber,
  uid: aNumber,
  label: maybeString,
  /** Separate file system in memory; absent: a plain folder of the file system around it. */
  limit: v.exactOptional(folderLimit),
});

const removeFolder = v.strictObject({
  do: v.literal("remove-folder"),
  path: aString,
  /** Whether a file system is mounted on it and is removed too. */
  isMounted: v.exactOptional(v.literal(true)),
});

/** Link in a folder that an earlier step created. It is removed with the folder. */
const makeLink = v.strictObject({ do: v.literal("make-link"), path: aString, target: aString });

/**
 * Makes the guest's user the owner of a folder of svirt and its content while the guest runs. Folder and
 * content remain afterwards.
 */
const lendFolder = v.strictObject({
  do: v.literal("assign-folder"),
  path: aString,
  uid: aNumber,
  label: maybeString,
  original: maybeString,
});
const returnFolder = v.strictObject({ do: v.literal("reclaim-folder"), path: aString, label: maybeString });

/** Step on a folder of svirt. */
export type FolderStep = v.InferOutput<
  typeof makeFolder | typeof removeFolder | typeof makeLink | typeof lendFolder | typeof returnFolder
>;

/** Definition of each kind of step in this file. */
export const folderSteps: Kinds<FolderStep> = {
  "make-folder": {
    schema: makeFolder,
    inverse: ({ limit, path }) => ({
      do: "remove-folder",
      path,
      ...(limit === undefined ? {} : { isMounted: true }),
    }),
    describe: describeMade,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "remove-folder": {
    schema: removeFolder,
    inverse: noInverse,
    describe: ({ path }) => `remove folder ${path}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "make-link": {
    schema: makeLink,
    inverse: noInverse,
    describe: ({ path, target }) => `create the link ${path} to ${target}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "assign-folder": {
    schema: lendFolder,
    inverse: ({ original: label, path }) => ({
      do: "reclaim-folder",
      path,
      ...(label === undefined ? {} : { label }),
    }),
    describe: ({ label, path, uid }) =>
      `give ${path} and its content to uid ${uid} (${label ?? "labels unchanged"})`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "reclaim-folder": {
    schema: returnFolder,
    inverse: noInverse,
    describe: ({ label, path }) =>
      `give ${path} and its content back to root (${label ?? "labels unchanged"})`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
};

function describeMade({ label, limit, mode, path, uid }: v.InferOutput<typeof makeFolder>): string {
  const size = limit === undefined ? "" : `, at most ${limit.bytes / MIB} MiB in ${limit.inodes} files`;
  return `create folder ${path} (mode ${mode.toString(8)}, uid ${uid}, ${label ?? "default label"}${size})`;
}

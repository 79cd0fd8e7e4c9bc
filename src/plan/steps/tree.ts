import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { aNumber, maybeString } from "../facts/plain-schemas.ts";
import { claim } from "../facts/step-parts.ts";
import { type Kinds, noInverse } from "./kind.ts";

const common = {
  /** Top folder of the tree. */
  folder: fileId,
  claim,
  uid: aNumber,
  access: v.picklist(["read-only", "read-write"]),
  /** Label of the whole tree for the guest; absent: all files keep their own. */
  to: maybeString,
  /** Label of the top folder before the guest. An entry with another label remembers that label itself. */
  from: maybeString,
};
const shareTree = v.strictObject({ do: v.literal("share-tree"), ...common });
const unshareTree = v.strictObject({ do: v.literal("unshare-tree"), ...common });

/** Shares a folder of the host and all its content with a guest, or ends the sharing. */
export type TreeStep = v.InferOutput<typeof shareTree | typeof unshareTree>;

/** Definition of each kind of step in this file. */
export const treeSteps: Kinds<TreeStep> = {
  "share-tree": {
    schema: shareTree,
    inverse: (done) => ({ ...done, do: "unshare-tree" }),
    describe: describeShared,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "unshare-tree": {
    schema: unshareTree,
    inverse: noInverse,
    describe: describeUnshared,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
};

const NO_LABEL = "(no label)";

function describeShared({ access, folder, from, to, uid }: TreeStep): string {
  const labels = to === undefined ? "labels unchanged" : `${from ?? NO_LABEL} -> ${to}`;
  return `share ${folder.path} and all below it with uid ${uid} (${access}): ${labels}`;
}

function describeUnshared({ folder, from, to, uid }: TreeStep): string {
  const labels =
    to === undefined
      ? "labels unchanged"
      : `${to} -> ${from ?? NO_LABEL}, or the label that an entry remembers`;
  return `stop sharing ${folder.path} and all below it with uid ${uid}: ${labels}`;
}

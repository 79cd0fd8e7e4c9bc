import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { aNumber, maybeString } from "../facts/plain-schemas.ts";
import { claim } from "../facts/step-parts.ts";

const common = {
  /** The folder that stands above all. */
  folder: fileId,
  claim,
  uid: aNumber,
  access: v.picklist(["read-only", "read-write"]),
  /** The label that all of it has for the guest; absent: what there is keeps its own. */
  to: maybeString,
  /** The folder's own label from before. What is in it remembers its own where that is another one. */
  from: maybeString,
};

/** A folder of the host's with all that is below it is shared with a guest, or is not any more. */
export const treeStep = v.variant("do", [
  v.strictObject({ do: v.literal("share-tree"), ...common }),
  v.strictObject({ do: v.literal("unshare-tree"), ...common }),
]);
export type TreeStep = v.InferOutput<typeof treeStep>;

import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { aNumber, maybeString } from "../facts/plain-schemas.ts";
import { claim } from "../facts/step-parts.ts";

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

/** Shares a folder of the host and all its content with a guest, or ends the sharing. */
export const treeStep = v.variant("do", [
  v.strictObject({ do: v.literal("share-tree"), ...common }),
  v.strictObject({ do: v.literal("unshare-tree"), ...common }),
]);
export type TreeStep = v.InferOutput<typeof treeStep>;

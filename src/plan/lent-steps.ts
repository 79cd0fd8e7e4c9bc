import * as v from "valibot";
import { fileId } from "./guest-order.ts";

/** The guest's user may open a file by its name, until it has: what QEMU takes no descriptor of. */
export const grantStep = v.strictObject({
  do: v.literal("grant"),
  file: fileId,
  uid: v.number(),
  access: v.picklist(["read-only", "read-write"]),
});

/** Where another program looks for a socket that QEMU makes in its own folder: a symlink leads there. */
export const linkSocketStep = v.strictObject({
  do: v.literal("link-socket"),
  folder: fileId,
  path: v.string(),
  target: v.string(),
  /** That of the link, which is nobody else's. */
  label: v.exactOptional(v.string()),
});
export const unlinkSocketStep = v.strictObject({
  do: v.literal("unlink-socket"),
  path: v.string(),
  target: v.string(),
});

/** A folder of svirt's with all that is in it is the guest's own while it runs. It stays, and so does what is in it. */
export const lendStep = v.strictObject({
  do: v.literal("lend-folder"),
  path: v.string(),
  uid: v.number(),
  label: v.exactOptional(v.string()),
  original: v.exactOptional(v.string()),
});
export const returnStep = v.strictObject({
  do: v.literal("return-folder"),
  path: v.string(),
  label: v.exactOptional(v.string()),
});

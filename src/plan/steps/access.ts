import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";

/** The guest's user may open a file by its name, until it has: what QEMU takes no descriptor of. */
export const grantStep = v.strictObject({
  do: v.literal("grant"),
  file: fileId,
  uid: aNumber,
  access: v.picklist(["read-only", "read-write"]),
});

/** Where another program looks for a socket that QEMU makes in its own folder: a symlink leads there. */
export const linkSocketStep = v.strictObject({
  do: v.literal("link-socket"),
  folder: fileId,
  path: aString,
  target: aString,
  /** That of the link, which is nobody else's. */
  label: maybeString,
});
export const unlinkSocketStep = v.strictObject({
  do: v.literal("unlink-socket"),
  path: aString,
  target: aString,
});

/** A folder of svirt's with all that is in it is the guest's own while it runs. It stays, and so does what is in it. */
export const lendStep = v.strictObject({
  do: v.literal("lend-folder"),
  path: aString,
  uid: aNumber,
  label: maybeString,
  original: maybeString,
});
export const returnStep = v.strictObject({
  do: v.literal("return-folder"),
  path: aString,
  label: maybeString,
});

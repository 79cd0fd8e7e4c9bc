import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";

/** Lets the guest's user open a file by name, as QEMU accepts no descriptor. It is revoked once the file is open. */
export const grantStep = v.strictObject({
  do: v.literal("grant"),
  file: fileId,
  uid: aNumber,
  access: v.picklist(["read-only", "read-write"]),
});

/** Creates a symlink where another program expects a socket. It points to the socket that QEMU creates in its own folder. */
export const linkSocketStep = v.strictObject({
  do: v.literal("link-socket"),
  folder: fileId,
  path: aString,
  target: aString,
  /** Label of the link, which belongs to this guest alone. */
  label: maybeString,
});
export const unlinkSocketStep = v.strictObject({
  do: v.literal("unlink-socket"),
  path: aString,
  target: aString,
});

/** Gives a folder of svirt and its content to the guest while it runs. Both stay afterwards. */
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

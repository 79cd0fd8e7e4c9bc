import * as v from "valibot";
import { aString, maybeString } from "./plain-schemas.ts";

/** Something that only one guest may have, or several that agree. */
export const claim = v.strictObject({
  kind: v.picklist(["level", "static", "uid", "file", "tap", "port", "pci"]),
  key: aString,
  sharing: v.picklist(["exclusive", "shared"]),
  /** For a file: the label that its users agree on; absent where it keeps its own. */
  label: maybeString,
  /** For a file: the label to put back when its last user is gone. */
  original: maybeString,
});

/** What QEMU is told over its monitor. */
export const monitorCommand = v.strictObject({
  execute: aString,
  arguments: v.exactOptional(v.record(aString, v.unknown())),
});

import * as v from "valibot";

/** Something that only one guest may have, or several that agree. */
export const claim = v.strictObject({
  kind: v.picklist(["level", "static", "uid", "file", "tap", "port", "pci"]),
  key: v.string(),
  sharing: v.picklist(["exclusive", "shared"]),
  /** For a file: the label that its users agree on; absent where it keeps its own. */
  label: v.exactOptional(v.string()),
  /** For a file: the label to put back when its last user is gone. */
  original: v.exactOptional(v.string()),
});

/** What QEMU is told over its monitor. */
export const monitorCommand = v.strictObject({
  execute: v.string(),
  arguments: v.exactOptional(v.record(v.string(), v.unknown())),
});

import { expect, test } from "bun:test";
import { describe } from "../../../src/plan/steps/describe.ts";
import type { Step } from "../../../src/plan/steps/step.ts";
import { claim, file, label, order, path } from "./samples.ts";

const image = { format: "qcow2", sizeBytes: 4096 } as const;

// Each with and without a label: operators read there which label a guest gets.
test.each<[Step, string]>([
  [
    { do: "make-folder", path, mode: 0o700, uid: 7, label, limit: { bytes: 2 ** 21, inodes: 9 } },
    "create folder /run/x (mode 700, uid 7, d:e:f, at most 2 MiB in 9 files)",
  ],
  [{ do: "make-folder", path, mode: 0o711, uid: 0 }, "create folder /run/x (mode 711, uid 0, default label)"],
  [{ do: "assign-folder", path, uid: 7, label }, "give /run/x and its content to uid 7 (d:e:f)"],
  [{ do: "assign-folder", path, uid: 7 }, "give /run/x and its content to uid 7 (labels unchanged)"],
  [{ do: "reclaim-folder", path, label }, "give /run/x and its content back to root (d:e:f)"],
  [{ do: "reclaim-folder", path }, "give /run/x and its content back to root (labels unchanged)"],
  [{ do: "expect-socket", path, label }, "reserve /run/x for a socket of the guest (d:e:f)"],
  [{ do: "expect-socket", path }, "reserve /run/x for a socket of the guest (default label)"],
  [
    { do: "write-udev-rule", path, file, type: "block", label },
    "write the udev rule that keeps the label of /dev/vdb (/run/x)",
  ],
  [{ do: "remove-udev-rule", path, file }, "remove the udev rule for /dev/vdb (/run/x)"],
  [{ do: "grant", file, uid: 7, access: "read-only" }, "let uid 7 open /dev/vdb by name (read-only)"],
  [
    { do: "write-secret", secret: "u", from: "/etc/u.base64", path, uid: 7, label },
    "write the value of secret u to /run/x (mode 400, uid 7, d:e:f)",
  ],
  [{ do: "revoke", file, uid: 7 }, "revoke uid 7's access to /dev/vdb"],
  [{ do: "spawn", order: { ...order, context: "a:b:c" } }, "start /usr/bin/qemu as uid 7 in a:b:c"],
  [{ do: "spawn", order }, "start /usr/bin/qemu as uid 7 in svirt's own context, not confined"],
  [{ do: "make-image", path, image }, "create the image /run/x: qcow2, 4096 bytes"],
  [
    { do: "make-image", path, image: { ...image, backing: { path: "/base", format: "raw" } } },
    "create the image /run/x: qcow2, 4096 bytes, backing file /base (raw)",
  ],
  [
    { do: "change-label", file, from: { ...claim, label }, to: { ...claim, sharing: "exclusive" } },
    "label /dev/vdb: d:e:f (shared) -> its own label (exclusive)",
  ],
  [{ do: "adopt-chain", device: "d0", chain: [] }, "discard the new images of d0"],
  [{ do: "adopt-chain", device: "d0", chain: ["a", "b"] }, "record the images of d0: a, b"],
] as [Step, string][])("describe() of %j says what is done", (step, line) => {
  expect(describe(step)).toBe(line);
});

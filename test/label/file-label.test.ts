import { describe, expect, test } from "bun:test";
import { decideFileLabel } from "../../src/label/file-label.ts";
import type { LabelDecision } from "../../src/label/label-decision.ts";
import { UNCONFINED } from "../../src/label/none-model.ts";
import type { FileRole } from "../../src/label/role.ts";
import { LABEL_ROLES, useOfDisk } from "../../src/label/roles.ts";

// Labels of libvirt's securityselinuxlabeldata.
const DECISION: LabelDecision = {
  ...UNCONFINED,
  model: "selinux",
  type: "dynamic",
  relabel: true,
  label: "system_u:system_r:svirt_t:s0:c41,c264",
  imageLabel: "system_u:object_r:svirt_image_t:s0:c41,c264",
  sharedLabel: "system_u:object_r:svirt_image_t:s0",
  contentLabel: "system_u:object_r:virt_content_t:s0",
};

describe("the role of a disk", () => {
  test.each([
    [{ shareable: false, access: "read-write" }, "private"],
    [{ shareable: true, access: "read-write" }, "shared"],
    [{ shareable: false, access: "read-only" }, "content"],
    // Shareable wins over read-only, as in libvirt.
    [{ shareable: true, access: "read-only" }, "shared"],
  ] as const)("of %j is %s", (disk, role) => {
    expect<FileRole>(LABEL_ROLES.disk[useOfDisk(disk)].role).toBe(role);
  });
});

describe("decideFileLabel()", () => {
  test.each([
    ["private", "system_u:object_r:svirt_image_t:s0:c41,c264", "exclusive"],
    ["shared", "system_u:object_r:svirt_image_t:s0", "shared"],
    ["content", "system_u:object_r:virt_content_t:s0", "shared"],
  ] as const)("gives a %s file the label of libvirt's case 'disks'", (role, to, sharing) => {
    expect(decideFileLabel(DECISION, role, undefined)).toEqual({ to, sharing });
  });

  test("leaves a file alone for which the XML says relabel='no', and still keeps others off a private one", () => {
    expect(decideFileLabel(DECISION, "private", { relabel: "no" })).toEqual({
      to: undefined,
      sharing: "exclusive",
    });
  });

  test("gives a file the label that the XML has for it, whatever its role", () => {
    const label = "system_u:object_r:svirt_image_custom_t:s0:c41,c264";
    expect(decideFileLabel(DECISION, "content", { relabel: "yes", label }).to).toBe(label);
  });

  test("labels nothing for a guest that is not to be relabelled", () => {
    expect(decideFileLabel({ ...DECISION, relabel: false }, "private", undefined).to).toBeUndefined();
    expect(decideFileLabel(UNCONFINED, "content", undefined).to).toBeUndefined();
  });
});

import { describe, expect, test } from "bun:test";
import { LABEL_MODELS } from "../../src/domain/forms/label-model.ts";
import { decideFileLabel, labelOfRole } from "../../src/label/file-label.ts";
import type { LabelDecision } from "../../src/label/label-decision.ts";
import { labelModel } from "../../src/label/label-models.ts";
import { none, UNCONFINED } from "../../src/label/none-model.ts";

const CONTEXT = "system_u:system_r:svirt_t:s0:c1,c2";
const IMAGE = "system_u:object_r:svirt_image_t:s0:c1,c2";
const LABELLED: LabelDecision = {
  ...UNCONFINED,
  model: "selinux",
  type: "dynamic",
  relabel: true,
  label: CONTEXT,
  imageLabel: IMAGE,
};

test.each([...LABEL_MODELS])("labelModel(%p) is the model of that name", (name) => {
  expect(labelModel(name).name).toBe(name);
});

describe("the model", () => {
  test.each(["enforcing", "permissive"] as const)("selinux is available where SELinux is %s", (mode) => {
    expect(labelModel("selinux").isAvailable({ selinux: mode })).toBe(true);
  });

  test("selinux is not available where SELinux is off, and none is", () => {
    const off = { selinux: "disabled" } as const;
    expect(LABEL_MODELS.filter((name) => labelModel(name).isAvailable(off))).toEqual(["none"]);
  });

  test("selinux has a guest's context checked, and none has nothing to check", () => {
    expect(labelModel("selinux").verify(LABELLED)).toEqual({ by: "process-context", context: CONTEXT });
    expect(labelModel("none").verify(UNCONFINED)).toBeUndefined();
  });

  test("none gives a guest no label, and refuses to give one", () => {
    const request = { model: "none", relabel: true, label: undefined, baseLabel: undefined } as const;
    const guest = { kind: { virtType: "kvm", hasUserNetwork: false }, range: undefined } as const;
    expect(none.decide({ ...request, type: "none" }, guest, undefined)).toEqual(UNCONFINED);
    expect(() => none.decide({ ...request, type: "static", label: CONTEXT }, guest, undefined)).toThrow(
      "the label model none has no labels",
    );
  });

  // As of FLASK, whose guests have a context and whose files have no label.
  test("of a decision decides whether files are labelled at all, an override of the XML included", () => {
    const withoutFiles: LabelDecision = { ...LABELLED, model: "none" };
    const override = { relabel: "yes", label: "a:b:c:s0" } as const;
    expect(decideFileLabel(LABELLED, "private", override).to).toBe("a:b:c:s0");
    expect(decideFileLabel(withoutFiles, "private", override)).toEqual({
      to: undefined,
      sharing: "exclusive",
    });
    expect([labelOfRole(LABELLED, "private"), labelOfRole(withoutFiles, "private")]).toEqual([
      IMAGE,
      undefined,
    ]);
  });
});

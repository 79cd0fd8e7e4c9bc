import { describe, expect, test } from "bun:test";
import type { LabelRequest } from "../../src/label/label-request.ts";
import { decideDynamicLabel, decideStaticLabel, type PolicyFacts } from "../../src/label/selinux-model.ts";
import { parseContext } from "../../src/selinux/context.ts";
import { parseDomainContexts, parseImageContexts } from "../../src/selinux/contexts-files.ts";

const facts = (own: string): PolicyFacts => ({
  own: parseContext(own),
  domain: parseDomainContexts("system_u:system_r:svirt_t:s0\nsystem_u:system_r:svirt_tcg_t:s0\n", "f"),
  image: parseImageContexts("system_u:object_r:svirt_image_t:s0\nsystem_u:object_r:virt_content_t:s0\n", "f"),
  folderType: "svirt_folder_t",
});
const VIRTD = facts("system_u:system_r:virtd_t:s0-s0:c0.c1023");
const DYNAMIC: LabelRequest = {
  model: "selinux",
  type: "dynamic",
  relabel: true,
  label: undefined,
  baseLabel: undefined,
};
const kind = { virtType: "kvm", hasUserNetwork: false } as const;

describe("decideDynamicLabel()", () => {
  // libvirt's securityselinuxtest.c: own context, and the user and role of the guest.
  test.each([
    ["unconfined_u:unconfined_r:unconfined_t:s0", "unconfined_u:unconfined_r"],
    ["system_u:system_r:virtd_t:s0-s0:c0.c1023", "system_u:system_r"],
    ["system_u:system_r:virtd_t", "system_u:system_r"],
  ])("under %s gives a guest that user and role", (own, userAndRole) => {
    const { imageLabel, label } = decideDynamicLabel(DYNAMIC, facts(own), { kind, range: "s0:c1,c2" });
    expect(label).toBe(`${userAndRole}:svirt_t:s0:c1,c2`);
    expect(imageLabel).toBe(`${userAndRole.split(":")[0]}:object_r:svirt_image_t:s0:c1,c2`);
  });

  test("gives TCG guests the type of the second line", () => {
    const guest = { kind: { virtType: "qemu", hasUserNetwork: false }, range: "s0:c1,c2" } as const;
    expect(decideDynamicLabel(DYNAMIC, VIRTD, guest).label).toBe("system_u:system_r:svirt_tcg_t:s0:c1,c2");
  });

  test("takes the type alone of a base label, as the reference was seen to do", () => {
    const request = { ...DYNAMIC, baseLabel: "a_u:b_r:c_t:s9" };
    expect(decideDynamicLabel(request, VIRTD, { kind, range: "s0:c1,c2" }).label).toBe(
      "system_u:system_r:c_t:s0:c1,c2",
    );
  });

  test("refuses a base label that is none", () => {
    const request = { ...DYNAMIC, baseLabel: "junk" };
    expect(() => decideDynamicLabel(request, VIRTD, { kind, range: "s0:c1,c2" })).toThrow(
      "Unable to parse base SELinux context 'junk': Invalid argument",
    );
  });

  test("labels what guests share with the context of the policy as it is", () => {
    const { contentLabel, sharedLabel } = decideDynamicLabel(DYNAMIC, VIRTD, { kind, range: "s0:c1,c2" });
    expect(sharedLabel).toBe("system_u:object_r:svirt_image_t:s0");
    expect(contentLabel).toBe("system_u:object_r:virt_content_t:s0");
  });
});

describe("decideStaticLabel()", () => {
  const request = (label: string): LabelRequest => ({
    model: "selinux",
    type: "static",
    relabel: true,
    label,
    baseLabel: undefined,
  });

  test("takes the label as it is, its range for the images too, and nobody else may have a pair", () => {
    const decided = decideStaticLabel(request("system_u:system_r:svirt_t:s0:c41,c264"), VIRTD);
    expect(decided.label).toBe("system_u:system_r:svirt_t:s0:c41,c264");
    expect(decided.imageLabel).toBe("system_u:object_r:svirt_image_t:s0:c41,c264");
    expect(decided.range).toBe("s0:c41,c264");
  });

  test.each(["s0", "s0:c5", "s0-s0:c0.c1023"])("leaves the range %s to the administrator", (range) => {
    const decided = decideStaticLabel(request(`system_u:system_r:svirt_t:${range}`), VIRTD);
    expect(decided.imageLabel).toBe(`system_u:object_r:svirt_image_t:${range}`);
    expect(decided.range).toBeUndefined();
  });

  test("refuses one without a range", () => {
    expect(() => decideStaticLabel(request("system_u:system_r:svirt_t"), VIRTD)).toThrow(
      "unable to get selinux context range",
    );
  });
});

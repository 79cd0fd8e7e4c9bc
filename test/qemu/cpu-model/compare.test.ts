import { describe, expect, test } from "bun:test";
import { errorsOf } from "../../../src/errors.ts";
import { compareCpu } from "../../../src/qemu/cpu-model/compare.ts";
import { guest, MODELS } from "./models.ts";

// By x86Compute() of libvirt's cpu_x86.c: the results, and the messages of incompatible processors.

const LACKS = "Host CPU does not provide required features";

describe("compareCpu() tells that the host", () => {
  test.each([
    ["has more than a model", guest("plain64"), "superset"],
    ["has more than a model without vendor and any feature", guest(undefined), "superset"],
    ["has the same", guest("EPYC", "require invtsc"), "identical"],
    ["has the same but for what is optional", guest("EPYC", "optional invtsc"), "identical"],
    ["has the same but for what is disabled", guest("EPYC", "disable invtsc"), "identical"],
    ["has the same and is forced to have more", guest("EPYC", "require invtsc", "force svm"), "identical"],
    ["need not have a model's feature that is disabled", guest("EPYC-v2", "disable svm"), "superset"],
    ["need not have a model's feature that is optional", guest("EPYC-v2", "optional svm"), "superset"],
    ["has none that is forbidden", guest("plain64", "forbid svm"), "superset"],
  ] as const)("%s", (_, description, is) => {
    expect(compareCpu(description, MODELS)).toEqual({ is });
  });

  test.each([
    ["lacks a model's feature", guest("EPYC-v2"), `${LACKS}: svm`],
    ["lacks required ones", guest("EPYC", "require vmx", "require svm"), `${LACKS}: svm, vmx`],
    ["has a forbidden one", guest("plain64", "forbid aes"), "Host CPU provides forbidden features: aes"],
    [
      "has more than match='strict' permits",
      { ...guest("EPYC"), isStrict: true },
      "Host CPU does not strictly match guest CPU: Extra features: invtsc",
    ],
    [
      "is of another vendor",
      { ...guest("plain64"), vendor: "Intel" },
      "host CPU vendor does not match required CPU vendor Intel",
    ],
    [
      "is of another architecture",
      { ...guest("plain64"), arch: "ppc64" },
      "CPU arch ppc64 does not match host arch",
    ],
  ] as const)("%s, and is incompatible", (_, description, why) => {
    expect(compareCpu(description, MODELS)).toEqual({ is: "incompatible", why });
  });

  test("runs i686 too, and has the vendor that is required", () => {
    expect(compareCpu({ ...guest("plain64"), arch: "i686", vendor: "AMD" }, MODELS)).toEqual({
      is: "superset",
    });
  });
});

describe("compareCpu()", () => {
  test("knows features by libvirt's names and QEMU's", () => {
    for (const name of ["lahf_lm", "lahf-lm"]) {
      expect(compareCpu(guest("plain64", `require ${name}`), MODELS)).toEqual({
        is: "incompatible",
        why: `${LACKS}: lahf_lm`,
      });
    }
  });

  test("leaves out features that no guest of QEMU can have, as libvirt does not pass them to QEMU", () => {
    expect(compareCpu(guest("EPYC", "require invtsc", "require osxsave", "require cmt"), MODELS)).toEqual({
      is: "identical",
    });
  });

  test("refuses a feature that is listed by two names", () => {
    const [error] = errorsOf(() => compareCpu(guest("EPYC", "require lahf_lm", "disable lahf-lm"), MODELS));
    expect([error?.message, error?.kind]).toEqual([
      "XML error: CPU feature 'lahf_lm' specified more than once",
      "xml",
    ]);
  });

  // Messages of x86ModelFromCPU() of libvirt.
  test.each([
    ["model", guest("Pentium9"), "internal error: Unknown CPU model Pentium9"],
    ["feature", guest("EPYC", "disable teleport"), "internal error: Unknown CPU feature teleport"],
  ])("refuses an unknown %s", (_, description, message) => {
    const [error] = errorsOf(() => compareCpu(description, MODELS));
    expect([error?.message, error?.libvirt]).toEqual([
      message,
      { name: "VIR_ERR_INTERNAL_ERROR", code: 1, domain: 31 },
    ]);
  });
});

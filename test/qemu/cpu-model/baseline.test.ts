import { describe, expect, test } from "bun:test";
import { errorsOf } from "../../../src/errors.ts";
import { baselineCpu, expandCpu, formatNamedCpu } from "../../../src/qemu/cpu-model/baseline.ts";
import { formatDocument } from "../../../src/xml/format-document.ts";
import { guest, MODELS } from "./models.ts";

// By virCPUx86Baseline() of libvirt's cpu_x86.c.

const PLAIN = { isForHost: false, isMigratable: false };

describe("baselineCpu() gives", () => {
  test("the model itself for one processor, and its further features", () => {
    expect(baselineCpu([guest("EPYC", "require invtsc")], MODELS, PLAIN)).toEqual({
      model: "EPYC",
      features: ["invtsc"],
    });
  });

  test("what all processors have: the model with the most of it, and the rest", () => {
    const cpus = [guest("EPYC", "require lahf_lm"), guest("EPYC-v2", "disable avx", "require lahf_lm")];
    // Westmere has more of it, but is of another vendor.
    expect(baselineCpu(cpus, MODELS, PLAIN)).toEqual({ model: "plain64", features: ["aes", "lahf_lm"] });
  });

  test("a result for processors of i686 too", () => {
    expect(baselineCpu([{ ...guest("plain64"), arch: "i686" }], MODELS, PLAIN).model).toBe("plain64");
  });

  test("a name without a version, unless the version has more", () => {
    expect(baselineCpu([guest("EPYC-v1")], MODELS, PLAIN).model).toBe("EPYC");
    expect(baselineCpu([guest("EPYC", "require svm")], MODELS, PLAIN).model).toBe("EPYC-v2");
  });

  test("the vendor only if all descriptions name it", () => {
    const named = { ...guest("EPYC"), vendor: "AMD" };
    expect(baselineCpu([named, named], MODELS, PLAIN).vendor).toBe("AMD");
    expect(baselineCpu([named, guest("EPYC")], MODELS, PLAIN).vendor).toBeUndefined();
  });

  test("for a hypervisor no more than it has, and on request nothing that keeps a guest from moving", () => {
    const cpu = guest("EPYC-v2", "require invtsc");
    expect(baselineCpu([cpu], MODELS, { ...PLAIN, isForHost: true })).toEqual({
      model: "EPYC",
      features: ["invtsc"],
    });
    expect(baselineCpu([cpu], MODELS, { isForHost: true, isMigratable: true })).toEqual({
      model: "EPYC",
      features: [],
    });
  });

  test("as XML what libvirt's guests take, and all features on request", () => {
    const cpu = baselineCpu([{ ...guest("plain64", "require aes"), vendor: "AMD" }], MODELS, PLAIN);
    expect(formatDocument(formatNamedCpu(cpu, "allow"))).toBe(`<cpu mode='custom' match='exact'>
  <model fallback='allow'>plain64</model>
  <vendor>AMD</vendor>
  <feature policy='require' name='aes'/>
</cpu>
`);
    expect(expandCpu(cpu, MODELS).features).toEqual(["aes", "fpu", "lm", "sse2"]);
  });
});

describe("baselineCpu() refuses", () => {
  test.each([
    ["no processor", [], ["invalid argument: No CPUs given", 8]],
    [
      "a processor without a model",
      [guest("EPYC"), guest(undefined)],
      ["invalid argument: no CPU model specified at index 1", 8],
    ],
    ["two vendors", [guest("EPYC"), guest("Westmere")], ["operation failed: CPU vendors do not match", 9]],
    [
      "processors that share too little for any model",
      [guest("plain64", "disable fpu")],
      ["internal error: Cannot find suitable CPU model for given data", 1],
    ],
    [
      "another architecture",
      [{ ...guest("plain64"), arch: "s390x" }],
      [
        "this function is not supported by the connection driver: cannot compute baseline CPU of s390x architecture",
        3,
      ],
    ],
  ] as const)("%s", (_, cpus, [message, code]) => {
    const [error] = errorsOf(() => baselineCpu(cpus, MODELS, PLAIN));
    expect([error?.message, error?.libvirt.code, error?.libvirt.domain]).toEqual([message, code, 31]);
  });
});

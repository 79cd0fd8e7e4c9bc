import type { CpuDescription } from "../../../src/domain/other-documents/cpu-description.ts";
import type { CpuModels } from "../../../src/qemu/cpu-model/cpu-models.ts";

/** A made-up emulator: EPYC and its version are of AMD, Westmere is of Intel, plain64 is of no vendor. */
export const MODELS: CpuModels = {
  known: ["aes", "avx", "fpu", "invtsc", "lahf_lm", "lm", "sse2", "svm", "vmx"],
  models: [
    { name: "EPYC", features: ["aes", "avx", "fpu", "lm", "sse2"] },
    { name: "EPYC-v1", features: ["aes", "avx", "fpu", "lm", "sse2"] },
    { name: "EPYC-v2", features: ["aes", "avx", "fpu", "lm", "sse2", "svm"] },
    { name: "Westmere", features: ["aes", "fpu", "lm", "sse2"] },
    { name: "plain64", features: ["fpu", "lm", "sse2"] },
  ],
  best: { vendor: "AMD", features: ["aes", "avx", "fpu", "invtsc", "lm", "sse2"] },
};

type Policy = CpuDescription["features"][number]["policy"];

/** Returns the description of a guest's processor; features as `policy name`. */
export function guest(model: string | undefined, ...features: readonly string[]): CpuDescription {
  return {
    ...(model === undefined ? {} : { model }),
    isStrict: false,
    features: features.map((words) => {
      const [policy, name = ""] = words.split(" ");
      return { policy: policy as Policy, name };
    }),
  };
}

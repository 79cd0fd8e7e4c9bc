import { describe, expect, test } from "bun:test";
import { compareCpu } from "../../../src/qemu/cpu-model/compare.ts";
import { modelQuestions, parseCpuModels } from "../../../src/qemu/cpu-model/cpu-models.ts";
import {
  EMULATOR_QUESTIONS,
  parseEmulatorFacts,
  probeArguments,
} from "../../../src/qemu/monitor/emulator-facts.ts";
import { namedModels } from "../../../src/vm/capabilities/domain-capabilities.ts";
import { guest } from "./models.ts";

const QEMU = Bun.which("qemu-system-x86_64");
const aside = QEMU === null ? " (skipped: qemu-system-x86_64 is missing)" : "";

/** Returns an answer of QEMU to the command at this place. */
const answer = (id: number, props: object): string =>
  JSON.stringify({ return: { model: { name: "base", props } }, id });

describe("parseCpuModels()", () => {
  test("takes the features that are on, by libvirt's names, without those of KVM", () => {
    const output = [
      answer(1, {
        vendor: "GenuineIntel",
        family: 6,
        sse2: true,
        "lahf-lm": true,
        avx: false,
        kvmclock: true,
      }),
      answer(2, { vendor: "GenuineIntel", sse2: true, pclmulqdq: true, avx: false, "kvm-mmu": true }),
    ];
    expect(parseCpuModels(output.join("\n"), ["one"])).toEqual({
      known: ["avx", "lahf_lm", "sse2"],
      models: [{ name: "one", features: ["pclmuldq", "sse2"] }],
      best: { vendor: "Intel", features: ["lahf_lm", "sse2"] },
    });
  });

  test.each([
    ["a model that QEMU does not describe", answer(1, {}), "Cannot query the features of the processor one"],
    ["no answer", "", "Cannot query the features of the processor of the host"],
    [
      "a name that is not a feature's",
      `${answer(1, { "a'/><x": true })}\n${answer(2, {})}`,
      "Cannot read QEMU's answer to query-cpu-model-expansion",
    ],
    [
      "an answer in another form",
      JSON.stringify({ return: { model: [] }, id: 1 }),
      "Cannot read QEMU's answer to query-cpu-model-expansion",
    ],
  ])("refuses %s", (_, output, message) => {
    expect(() => parseCpuModels(output, ["one"])).toThrow(message);
  });
});

function ask(input: string): string {
  const words = [...probeArguments(QEMU ?? "", "qemu")];
  return Bun.spawnSync(words, { stdin: new TextEncoder().encode(input) }).stdout.toString();
}

describe.skipIf(QEMU === null)(`the models of a real QEMU${aside}`, () => {
  test("are compatible with its best processor if QEMU itself calls them usable", () => {
    const cpus = namedModels(parseEmulatorFacts(ask(EMULATOR_QUESTIONS)).cpus);
    const names = cpus.map(({ name }) => name);
    const models = parseCpuModels(ask(modelQuestions(names, "qemu")), names);
    expect(names.length).toBeGreaterThan(100);
    const compatible = names.filter((name) => compareCpu(guest(name), models).is !== "incompatible");
    expect(compatible).toEqual(cpus.filter(({ usable }) => usable).map(({ name }) => name));
    // AMD64 Architecture Programmer's Manual, volume 2: long mode has SSE2. SDM of Intel: Westmere has AES.
    const featuresOf = (model: string) => models.models.find(({ name }) => name === model)?.features;
    expect(featuresOf("qemu64")).toEqual(expect.arrayContaining(["lm", "nx", "sse2"]));
    expect(featuresOf("Westmere")).toEqual(expect.arrayContaining(["aes", "lahf_lm", "pclmuldq", "sse4.2"]));
    expect(featuresOf("486")).not.toContain("lm");
  });
});

import { describe, expect, test } from "bun:test";
import type { ProgramOutput } from "../../../src/host/processes.ts";
import { cpuModelsFile } from "../../../src/plan/paths.ts";
import { DEFAULT_EMULATOR } from "../../../src/qemu/default-devices.ts";
import { getMostVcpus } from "../../../src/vm/capabilities/capabilities.ts";
import { getCpuModels, getEmulatorFacts } from "../../../src/vm/capabilities/emulator.ts";
import { errorOf, makeMachine, nodeOn, putText } from "../../scenes/scene.ts";
import { machineWithEmulator } from "./fake-emulator.ts";

const PROGRAM = "/usr/bin/other";

const FAULTS: readonly [fault: ProgramOutput, is: string][] = [
  [{ fault: "failed" }, "it does not start as a guest of type qemu"],
  [{ fault: "timeout" }, "it does not end"],
  [{ fault: "too-long" }, "it prints more than QEMU does"],
];

test.each(FAULTS)("getEmulatorFacts() tells why a program gives no answer: %p", async (fault, is) => {
  const machine = makeMachine();
  machine.files.putFolder("/usr/bin");
  machine.files.put(PROGRAM, "file", { mode: 0o755 });
  const node = nodeOn(machine);
  const instance = { ...node, host: { ...node.host, readProbe: async () => fault } };
  const asked = Promise.resolve().then(async () => await getEmulatorFacts(instance, PROGRAM, "qemu"));
  const error = await errorOf(asked);
  expect([error.message, error.kind]).toEqual([
    `Cannot query the capabilities of ${PROGRAM}: ${is}`,
    "failed",
  ]);
});

describe("getCpuModels()", () => {
  test("asks an emulator once per version and boot, for each type of guests", async () => {
    const { asked, machine } = machineWithEmulator();
    const instance = nodeOn(machine);
    const first = await getCpuModels(instance, DEFAULT_EMULATOR, "kvm");
    expect(first.best).toEqual({ vendor: "AMD", features: ["aes", "fpu", "invtsc", "lahf_lm", "sse2"] });
    expect(first.models.map(({ name }) => name)).toEqual(["EPYC", "EPYC-v2", "plain64"]);
    // First its capabilities, with the names of the models, then these.
    expect(asked).toEqual(["kvm,device=/dev/fdset/1", "kvm,device=/dev/fdset/1"]);
    expect(await getCpuModels(instance, DEFAULT_EMULATOR, "kvm")).toEqual(first);
    expect(asked).toHaveLength(2);
    expect((await getCpuModels(instance, DEFAULT_EMULATOR, "qemu")).best.features).toEqual(["fpu", "sse2"]);
    expect(asked.slice(2)).toEqual(["tcg", "tcg"]);
    machine.files.put(DEFAULT_EMULATOR, "file", { mode: 0o755 });
    await getCpuModels(instance, DEFAULT_EMULATOR, "kvm");
    expect(asked).toHaveLength(6);
  });

  test("asks again if the cached answer is damaged", async () => {
    const { asked, machine } = machineWithEmulator();
    const instance = nodeOn(machine);
    const first = await getCpuModels(instance, DEFAULT_EMULATOR, "kvm");
    putText(machine, cpuModelsFile(instance.paths, DEFAULT_EMULATOR, "kvm"), '{"format":1');
    expect(await getCpuModels(instance, DEFAULT_EMULATOR, "kvm")).toEqual(first);
    expect(asked).toHaveLength(3);
  });
});

// virHostCPUGetKVMMaxVCPUs() of libvirt
test.each([
  ["kvm", 100, 100],
  ["kvm", 1024, 288],
  ["kvm", undefined, 288],
  ["qemu", 100, 288],
] as const)(
  "getMostVcpus() of %s with KVM's limit %p of a board with 288 is %d",
  async (...[type, limit, most]) => {
    const { machine } = machineWithEmulator();
    machine.kvmVcpus = limit;
    expect(await getMostVcpus(nodeOn(machine), type)).toBe(most);
  },
);

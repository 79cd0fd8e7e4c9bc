import { expect, test } from "bun:test";
import type { ProgramOutput } from "../../../src/host/processes.ts";
import { getEmulatorFacts } from "../../../src/vm/capabilities/emulator.ts";
import { errorOf, makeMachine, nodeOn } from "../../scenes/scene.ts";

const PROGRAM = "/usr/bin/other";

const FAULTS: readonly [fault: ProgramOutput, is: string][] = [
  [{ fault: "failed" }, "it does not start as a guest of type qemu"],
  [{ fault: "timeout" }, "it does not end"],
  [{ fault: "too-long" }, "it prints more than QEMU does"],
];

test.each(FAULTS)("getEmulatorFacts() tells why a program gives no answer: %p", async (fault, is) => {
  const machine = makeMachine();
  machine.files.putFolder("/usr/bin");
  machine.files.put(PROGRAM, "file");
  const node = nodeOn(machine);
  const instance = { ...node, host: { ...node.host, readOutput: async () => fault } };
  const asked = Promise.resolve().then(async () => await getEmulatorFacts(instance, PROGRAM, "qemu"));
  const error = await errorOf(asked);
  expect([error.message, error.kind]).toEqual([
    `Cannot query the capabilities of ${PROGRAM}: ${is}`,
    "failed",
  ]);
});

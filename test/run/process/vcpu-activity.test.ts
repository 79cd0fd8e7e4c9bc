import { describe, expect, test } from "bun:test";
import { lookAtVcpus } from "../../../src/run/process/vcpu-activity.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";

const PID = 4000;

/**
 * Looks at a process with these threads besides its main one: its name, its state, and the kernel's function
 * in which it waits.
 */
function lookAt(...threads: readonly (readonly [name: string, state: string, waitsIn?: string])[]): string {
  const machine = makeMachine();
  for (const [at, [name, state, waitsIn = "0"]] of threads.entries()) {
    const thread = PID + 1 + at;
    const files = { stat: `${thread} (${name}) ${state} 1 2 3`, wchan: waitsIn };
    machine.files.putFolder(`/proc/${PID}/task/${thread}`);
    for (const [file, text] of Object.entries(files))
      machine.files.put(`/proc/${PID}/task/${thread}/${file}`, "file", {
        bytes: new TextEncoder().encode(text),
      });
  }
  return lookAtVcpus(nodeOn(machine).host, PID);
}

describe("lookAtVcpus()", () => {
  test.each([
    ["runs in KVM", ["CPU 0/KVM", "R"], "active"],
    ["waits for an interrupt in KVM", ["CPU 0/KVM", "S", "kvm_vcpu_block"], "active"],
    ["does so in another version of the kernel", ["CPU 11/KVM", "S", "kvm_vcpu_halt"], "active"],
    ["runs in TCG", ["CPU 0/TCG", "R"], "active"],
    ["is one of all that TCG runs in one thread", ["ALL CPUs/TCG", "R"], "active"],
    ["waits in QEMU: it is stopped", ["CPU 0/KVM", "S", "futex_do_wait"], "unknown"],
    ["waits in QEMU: TCG has it wait or stop", ["CPU 0/TCG", "S", "futex_do_wait"], "unknown"],
    ["waits for the host's disk", ["CPU 0/KVM", "D", "folio_wait_bit_common"], "unknown"],
    ["waits in a function that may not be read", ["CPU 0/KVM", "S", "0"], "unknown"],
    ["is stopped by a signal", ["CPU 0/KVM", "T", "do_signal_stop"], "halted"],
    ["is frozen by its control group", ["CPU 0/KVM", "S", "do_freezer_trap"], "halted"],
    ["is in fact another thread, which runs", ["qemu-system-x86", "R"], "unknown"],
    ["is in fact another thread, which has a strange name", ["a) R (CPU 0/KVM", "R"], "unknown"],
  ] as const)("if the only vCPU %s", (_, thread, activity) => {
    expect(lookAt(["qemu-system-x86", "S", "poll_schedule_timeout"], thread)).toBe(activity);
  });

  test("takes one vCPU that waits for an interrupt as enough", () => {
    const stopped = ["CPU 0/KVM", "S", "futex_do_wait"] as const;
    expect(lookAt(["qemu-system-x86", "S"], stopped, ["CPU 1/KVM", "S", "kvm_vcpu_block"])).toBe("active");
  });

  test("knows nothing of a process that is gone", () => {
    expect(lookAt()).toBe("unknown");
  });

  test("reads no more threads than a QEMU usually has, however many it makes", () => {
    const others = Array.from({ length: 64 }, () => ["worker", "S"] as const);
    expect(lookAt(...others.slice(1), ["CPU 0/KVM", "R"])).toBe("active");
    expect(lookAt(...others, ["CPU 0/KVM", "R"])).toBe("unknown");
  });
});

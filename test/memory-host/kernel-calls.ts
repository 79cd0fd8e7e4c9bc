import type { Host } from "../../src/host/host.ts";
import type { Machine } from "./machine.ts";

/** Calls about the kernel, its policy and its clock. */
export function kernelCalls(
  machine: Machine,
): Pick<
  Host,
  | "readOutput"
  | "readProbe"
  | "runProgram"
  | "getSelinux"
  | "getSelinuxMode"
  | "getOwnContext"
  | "isValidContext"
  | "mayAccess"
  | "readKernelLog"
  | "getPolicy"
  | "getBootId"
  | "getKvmVcpuLimit"
  | "getMachine"
  | "getBootTime"
  | "getUid"
  | "nowMs"
  | "freeMemory"
  | "sleep"
  | "makeUuid"
  | "checksum"
  | "getCryptography"
> {
  const hasSelinux = (): boolean => machine.selinux.mode !== "disabled";
  return {
    readOutput: async (words, input) => machine.readOutput(words, input),
    readProbe: async ({ input, words }) => machine.readOutput(words, input),
    runProgram: async (words, _, input) => machine.runProgram(words, input),
    getSelinux: () => machine.selinux,
    getSelinuxMode: () => machine.selinux.mode,
    getOwnContext: () => (hasSelinux() ? machine.ownContext : undefined),
    isValidContext: (context) => machine.knowsContext(context),
    mayAccess: ({ label }) => !machine.forbiddenLabels.has(label),
    readKernelLog: () => machine.kernelLog,
    getPolicy: () =>
      hasSelinux()
        ? { version: 33, isMls: true, denyUnknown: true, sha256: undefined, contexts: undefined }
        : undefined,
    getBootId: () => machine.bootId,
    getKvmVcpuLimit: () => machine.kvmVcpus,
    getMachine: () => ({ id: machine.id, name: machine.name }),
    getBootTime: () => machine.bootSeconds,
    getUid: () => machine.uid,
    nowMs: () => machine.nowMs,
    freeMemory: () => undefined,
    sleep: (ms) => passTime(machine, ms),
    makeUuid: () => machine.makeUuid(),
    checksum: (text) => Bun.hash(text).toString(16),
    // Arithmetic alone, and the same on each machine.
    getCryptography: async () => (await import("../../src/host/linux/system/cryptography.ts")).cryptography,
  };
}

/** Advances the clock and lets other pending work run. */
export async function passTime(machine: Machine, ms: number): Promise<void> {
  machine.pass(ms);
  await Promise.resolve();
}

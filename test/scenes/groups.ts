import type { Machine } from "../memory-host/machine.ts";
import { makeMachine, UUID } from "./scene.ts";

/** Control group of the default guest. */
export const GROUP = `/sys/fs/cgroup/svirt/${UUID}`;

/** Returns a machine with control groups, four processors, and svirt's own group, which is permanent. */
export function machineWithGroups(): Machine {
  const machine = makeMachine();
  machine.groups.mount();
  machine.files.putFolder("/sys/devices/system/cpu");
  machine.files.put("/sys/devices/system/cpu/online", "file", { bytes: new TextEncoder().encode("0-3\n") });
  machine.files.putFolder("/sys/fs/cgroup/svirt");
  machine.groups.fill("/sys/fs/cgroup/svirt");
  return machine;
}

/** Returns the threads of the guest's vCPUs, in order. */
export function vcpuThreads(machine: Machine): readonly number[] {
  const guest = machine.processes.qemuOf(UUID);
  return guest === undefined ? [] : machine.groups.listVcpus(guest).map((found) => found["thread-id"]);
}

import { SvirtError } from "../../src/errors.ts";
import type { Host } from "../../src/host/host.ts";
import { registryLock, SYSTEM_PATHS } from "../../src/plan/paths.ts";
import type { Machine } from "./machine.ts";
import type { Svirt } from "./svirt.ts";

/** Records a violation if this svirt keeps others waiting. */
function noteLock(machine: Machine, svirt: Svirt, call: string): void {
  if (machine.locks.get(registryLock(SYSTEM_PATHS)) === svirt)
    machine.violations.push(`The kernel is asked under the registry's lock: ${call}`);
}

type Part<Names extends keyof Host> = Pick<Host, Names>;

/** Calls for the host ends of guests' network devices. */
export function tapCalls(
  machine: Machine,
  svirt: Svirt,
): Part<
  | "setUpTap"
  | "removeTap"
  | "disconnectTap"
  | "makeMacvtap"
  | "removeMacvtap"
  | "listDefaultRoutes"
  | "makeBridge"
  | "removeBridge"
  | "setPacketRules"
  | "listPacketRules"
  | "removeTapTable"
  | "shapeTap"
  | "setFloor"
> {
  return {
    setUpTap: (setup, how) => machine.taps.setUp(setup, { midway: () => svirt.midway(), how }),
    removeTap: (tap) => machine.taps.remove(tap),
    disconnectTap: (tap) => machine.taps.disconnect(tap),
    makeMacvtap: (link) => machine.taps.addMacvtap(link, () => svirt.midway()),
    removeMacvtap: (link) => machine.taps.removeMacvtap(link),
    listDefaultRoutes: () => machine.defaultRoutes,
    makeBridge: (bridge) => machine.taps.makeBridge(bridge, () => svirt.midway()),
    removeBridge: (mark) => machine.taps.removeBridge(mark),
    shapeTap: (name, shape) => machine.taps.shape(name, shape),
    setFloor: (to, bytesPerSecond) => machine.taps.setFloor(to, bytesPerSecond, () => svirt.midway()),
    removeTapTable: (table) => machine.packetRules.remove(`netdev ${table}`),
    listPacketRules: async () => machine.packetRules.list(),
    setPacketRules: async (script) => machine.packetRules.apply(script),
  };
}

/** Calls for resources that guests share: control groups and processors. */
export function groupCalls(
  machine: Machine,
  svirt: Svirt,
): Part<
  | "writeControl"
  | "writeControls"
  | "isReadable"
  | "findWaiting"
  | "removeControlGroup"
  | "moveThread"
  | "setAffinity"
  | "setScheduler"
  | "setMemlock"
> {
  const { threads } = machine;
  return {
    writeControl(path, value) {
      if (!machine.pci.write(path, value)) machine.groups.write(path, value);
    },
    async writeControls(writes, limitMs, lock) {
      machine.pci.startProcess(lock);
      noteLock(machine, svirt, `write ${writes.map(({ path }) => path).join(", ")}`);
      for (const { path, value } of writes) {
        if (machine.pci.keepsWaiting(path, value)) {
          machine.pci.leaveProcess(lock);
          machine.pass(limitMs);
          throw new SvirtError(`Cannot write ${path}: there was no answer within ${limitMs / 1000} seconds`, {
            kind: "timeout",
            remedy: "-",
          });
        }
        if (!machine.pci.write(path, value)) machine.groups.write(path, value);
        svirt.midway();
      }
    },
    async isReadable(path, limitMs, lock) {
      machine.pci.startProcess(lock);
      noteLock(machine, svirt, `read ${path}`);
      if (!machine.pci.keepsWaiting(path, "")) return true;
      machine.pci.leaveProcess(lock);
      machine.pass(limitMs);
      return false;
    },
    findWaiting: (lock) => machine.pci.waiting.get(lock),
    removeControlGroup: (path) => machine.groups.remove(path, () => svirt.midway()),
    moveThread: (thread, group) => void threads.set(thread, { ...threads.get(thread), group }),
    setAffinity: (thread, cpus) => void threads.set(thread, { ...threads.get(thread), cpus }),
    setMemlock: ({ pid }, limitKiB) => machine.processes.setMemlock(pid, limitKiB),
    setScheduler: (thread, scheduler) => void threads.set(thread, { ...threads.get(thread), scheduler }),
  };
}

import { registryLock, SYSTEM_PATHS } from "../../src/plan/paths.ts";
import type { Instance } from "../../src/state/instance.ts";
import { definePool } from "../../src/vm/pool/define-pool.ts";
import { startPool } from "../../src/vm/pool/start-pool.ts";
import type { Machine } from "../memory-host/machine.ts";
import { makeStorageMachine, NET, netXml } from "./mounted-pools.ts";
import { nodeOn } from "./scene.ts";
import { activatePool, IMAGES, POOL_UUID } from "./volumes.ts";

/** Thrown instead of waiting for a server that does not answer. */
export class Waits extends Error {}

/**
 * Returns an instance whose calls for files of the server wait, and the calls that wait under the registry's
 * lock.
 */
export function hanging(machine: Machine): { readonly node: Instance; readonly locked: string[] } {
  const node = nodeOn(machine);
  const locked: string[] = [];
  const wait = (call: string, path: string): void => {
    if (path !== NET && !path.startsWith(`${NET}/`)) return;
    if (machine.locks.has(registryLock(SYSTEM_PATHS))) locked.push(call);
    throw new Waits(`${call} ${path}`);
  };
  const host: Instance["host"] = {
    ...node.host,
    inspectFile(path) {
      wait("inspectFile", path);
      return node.host.inspectFile(path);
    },
    listOpenFiles(pid, isLeftOut) {
      const files = node.host.listOpenFiles(pid, isLeftOut);
      for (const { id, target } of files) if (id !== undefined) wait("listOpenFiles", target);
      return files;
    },
    listFolder(path) {
      wait("listFolder", path);
      return node.host.listFolder(path);
    },
  };
  return { node: { ...node, host }, locked };
}

/**
 * Returns a machine with a mounted pool whose server then hangs, and an active pool of the host's own folder.
 */
export async function machineWithBoth(): Promise<Machine> {
  const machine = makeStorageMachine();
  await definePool(nodeOn(machine), netXml());
  await startPool(nodeOn(machine), "net", { isBuilt: false });
  machine.files.put(`${NET}/a.img`, "file");
  activatePool(nodeOn(machine), { name: "images", folder: IMAGES, uuid: POOL_UUID });
  return machine;
}

import { asSvirtError, SvirtError } from "../../errors.ts";
import type { TalkEnd } from "../../host/channels.ts";
import { deviceLock } from "../../plan/paths.ts";
import { getLockHolder } from "../../run/process/lock-holder.ts";
import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { findConsole } from "./find-console.ts";

/** Options of a connection to a guest's console. */
export interface TalkOptions {
  readonly devname: string | undefined;
  /** Disconnect the process that is connected now. */
  readonly force: boolean;
  /** Byte that ends the connection. */
  readonly leaveBy: number;
  /** Called with the domain's name when the connection is open. */
  onOpen(name: string): void;
}

/** Time for a disconnected process to end. */
const LET_GO_MS = 5000;

/**
 * Connects the caller's input and output to a running guest's console. Throws "not-found"; "wrong-state" if the guest is off
 * or another process is connected.
 */
export async function talkToGuest(instance: Instance, key: string, options: TalkOptions): Promise<TalkEnd> {
  const { guest } = findRunning(instance, key);
  const { facts, id } = await findConsole(instance, guest, options.devname);
  const release = await lockConsole(instance, deviceLock(instance.paths, guest.uuid, id), options.force);
  try {
    return await instance.host.talk(facts, {
      leaveBy: options.leaveBy,
      onOpen: () => options.onOpen(guest.name),
    });
  } finally {
    release();
  }
}

/**
 * Locks a guest's device for one process. Throws "wrong-state" if another one has it, unless `force` disconnects that
 * one.
 */
export async function lockConsole({ host }: Instance, path: string, force: boolean): Promise<() => void> {
  try {
    return await host.lock(path, 0);
  } catch (error) {
    if (asSvirtError(error).kind !== "timeout") throw error;
    const holder = getLockHolder(host, path);
    if (force && holder !== undefined) {
      host.signalProcess(holder, "SIGTERM");
      return await host.lock(path, LET_GO_MS);
    }
    const by = holder === undefined ? "" : ` (process ${holder.pid})`;
    throw new SvirtError(`operation failed: Active console session exists for this domain${by}`, {
      kind: "wrong-state",
      libvirt: "OPERATION_FAILED",
      remedy: "End that session, or disconnect it: --force",
      cause: error,
    });
  }
}

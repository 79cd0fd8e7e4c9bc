import { asSvirtError, SvirtError } from "../../errors.ts";
import type { DataStream, TalkEnd } from "../../host/channels.ts";
import type { FileFacts } from "../../host/files.ts";
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
  const { facts, name, release } = await takeConsole(instance, key, options);
  try {
    return await instance.host.talk(facts, {
      leaveBy: options.leaveBy,
      onOpen: () => options.onOpen(name),
    });
  } finally {
    release();
  }
}

/**
 * Opens a running guest's console for a client. The lock ends with the stream, also when the guest ends it or `--force` of another process
 * does. Throws as talkToGuest().
 */
export async function openConsole(
  instance: Instance,
  key: string,
  options: Pick<TalkOptions, "devname" | "force">,
): Promise<DataStream> {
  const { facts, release } = await takeConsole(instance, key, options);
  let guest: DataStream | undefined;
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closed ??= Promise.resolve(guest?.close()).finally(release);
    await closed;
  };
  try {
    guest = await instance.host.openConsole(facts, () => void close());
  } catch (error) {
    release();
    throw error;
  }
  const opened = guest;
  return {
    async next(mostBytes) {
      const piece = await opened.next?.(mostBytes);
      if (piece === undefined) await close();
      return piece;
    },
    put: async (piece) => await opened.put?.(piece),
    close,
  };
}

/** Console of a running guest that this process has locked. */
interface TakenConsole {
  readonly name: string;
  readonly facts: FileFacts;
  release(): void;
}

async function takeConsole(
  instance: Instance,
  key: string,
  { devname, force }: Pick<TalkOptions, "devname" | "force">,
): Promise<TakenConsole> {
  const { guest } = findRunning(instance, key);
  const { facts, id } = await findConsole(instance, guest, devname);
  const release = await lockConsole(instance, deviceLock(instance.paths, guest.uuid, id), force);
  return { name: guest.name, facts, release };
}

/**
 * Locks a guest's device for one process. Throws "wrong-state" if another one has it, unless `force` disconnects that
 * one.
 */
async function lockConsole({ host }: Instance, path: string, force: boolean): Promise<() => void> {
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

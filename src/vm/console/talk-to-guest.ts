import { SvirtError } from "../../errors.ts";
import type { DataStream, TalkEnd } from "../../host/channels.ts";
import type { FileFacts } from "../../host/files.ts";
import { deviceLock } from "../../plan/paths.ts";
import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { findChannel } from "./find-channel.ts";
import { findConsole } from "./find-console.ts";
import { isAskedFor, lockConsole } from "./lock-console.ts";

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
/** Sessions of a device, as libvirt calls them. qemuDomainOpenConsole() and qemuDomainOpenChannel() */
const [CONSOLE, CHANNEL] = ["console session", "channel stream"];

/**
 * Connects the caller's input and output to a running guest's console. Throws "not-found"; "wrong-state" if the guest is off
 * or another process is connected; "failed" if another process takes the console.
 */
export async function talkToGuest(instance: Instance, key: string, options: TalkOptions): Promise<TalkEnd> {
  const device = { name: options.devname, force: options.force };
  const { facts, lock, name, release } = await takeConsole(instance, key, device);
  try {
    const end = await instance.host.talk(facts, {
      leaveBy: options.leaveBy,
      isAskedFor: () => isAskedFor(instance.host, lock),
      onOpen: () => options.onOpen(name),
    });
    if (end === "asked") throw disconnected();
    return end;
  } finally {
    release();
  }
}

/** Character device that a client opens. */
export interface OpenOptions {
  readonly name: string | undefined;
  /** End the stream or session that has the device now. */
  readonly force: boolean;
  /** Only among the guest's channels, by an alias or the name of a port in the guest. */
  readonly isChannel?: boolean;
}

/**
 * Opens a running guest's console or channel for a client. The lock ends with the stream, also when the guest ends it or `--force` of
 * another process does. The stream throws "failed" once another call of its connection forces it away. Throws as talkToGuest(), and
 * findChannel().also when the guest ends it. The stream throws "failed" once another
 * call or process forces it away. Throws as talkToGuest().
 */
export async function openConsole(
  instance: Instance,
  key: string,
  options: OpenOptions,
): Promise<DataStream> {
  const { facts, lock, release } = await takeConsole(instance, key, options);
  let guest: DataStream | undefined;
  let closed: Promise<void> | undefined;
  let isLost = false;
  const consoles = instance.memory?.consoles;
  const close = async (): Promise<void> => {
    closed ??= Promise.resolve(guest?.close()).finally(() => {
      if (consoles?.get(lock) === lose) consoles.delete(lock);
      release();
    });
    await closed;
  };
  const lose = async (): Promise<void> => {
    isLost = true;
    await close();
  };
  consoles?.set(lock, lose);
  try {
    guest = await instance.host.openConsole(facts, {
      isAskedFor: () => isAskedFor(instance.host, lock),
      onAsked: () => void lose(),
    });
    if (isLost) await guest.close();
  } catch (error) {
    await close();
    throw error;
  }
  const opened = guest;
  return {
    async next(mostBytes) {
      const piece = await opened.next?.(mostBytes);
      if (piece === undefined) await close();
      if (isLost) throw forcedAway();
      return piece;
    },
    put: async (piece) => await opened.put?.(piece),
    close,
  };
}

function disconnected(): SvirtError {
  return new SvirtError("Disconnected from the guest's console: another process has taken it", {
    kind: "failed",
    remedy: "Connect again: svirt console DOMAIN",
  });
}

/** Says what libvirt does of a stream that another one has replaced. daemonStreamEvent() of libvirt */
function forcedAway(): SvirtError {
  return new SvirtError("stream had I/O failure: another call of this connection has taken the device"  return new SvirtError("stream had I/O failure: another session has taken the console", {
    kind: "failed",
    libvirt: "RPC",
    remedy: "Open it again, by VIR_DOMAIN_CONSOLE_FORCE or VIR_DOMAIN_CHANNEL_FORCE.",
  });
}

/** Console of a running guest that this process has locked. */
interface TakenConsole {
  readonly name: string;
  readonly facts: FileFacts;
  /** Path of the lock. */
  readonly lock: string;
  release(): void;
}

async function takeConsole(
  instance: Instance,
  key: string,
  { force, isChannel = false, name }: OpenOptions,
): Promise<TakenConsole> {
  const { guest } = findRunning(instance, key);
  const { facts, id } = await findConsole(instance, guest, isChannel ? findChannel(guest, name) : name);
  const lock = deviceLock(instance.paths, guest.uuid, id);
  const release = await lockConsole(instance, { path: lock, force, use: isChannel ? CHANNEL : CONSOLE });
  return { name: guest.name, facts, lock, release };
}

/** Lock of a device, and how libvirt says that another one has it. */
interface DeviceLock {
  readonly path: string;
  readonly force: boolean;
  readonly use: string;
}

/**
 * Locks a guest's device for one session. Throws "wrong-state" if another one has it, unless `force` disconnects that
 * one.
 */
async function lockConsole(instance: Instance, { path, force, use }: DeviceLock): Promise<() => void> {
  const { host } = instance;
  const inUse = (cause: unknown): SvirtError => alreadyOpen(use, getLockHolder(host, path), cause);
  try {
    return await host.lock(path, 0);
  } catch (error) {
    if (asSvirtError(error).kind !== "timeout") throw error;
    if (!force || !(await disconnect(instance, path))) throw inUse(error);
  }
  try {
    return await host.lock(path, LET_GO_MS);
  } catch (error) {
    throw asSvirtError(error).kind === "timeout" ? inUse(error) : error;
  }
}

/** Ends the session that holds a lock. Returns false if the kernel does not name its process. */
async function disconnect({ host, memory }: Instance, path: string): Promise<boolean> {
  const own = memory?.consoles.get(path);
  if (own !== undefined) {
    await own();
    return true;
  }
  const holder = getLockHolder(host, path);
  // Another call of this process, such as one to the guest's agent, ends by itself: a signal would end the connection.
  if (holder !== undefined && !isOwn(host, holder)) host.signalProcess(holder, "SIGTERM");
  return holder !== undefined;
}

/** Returns whether a process is this one. proc_pid_stat(5) */
function isOwn(host: Host, { pid }: ProcessId): boolean {
  return Number.parseInt(host.readText("/proc/self/stat") ?? "", 10) === pid;
}

function alreadyOpen(use: string, holder: ProcessId | undefined, cause: unknown): SvirtError {
  const by = holder === undefined ? "" : ` (process ${holder.pid})`;
  return new SvirtError(`operation failed: Active ${use} exists for this domain${by}`, {
    kind: "wrong-state",
    libvirt: "OPERATION_FAILED",
    remedy: "End that session, or disconnect it: --force",
    cause,
  });
}

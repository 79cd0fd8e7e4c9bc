import { SvirtError } from "../../errors.ts";
import type { DataStream, TalkEnd } from "../../host/channels.ts";
import type { FileFacts } from "../../host/files.ts";
import { deviceLock } from "../../plan/paths.ts";
import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { findChannel, refuseAgent } from "./find-channel.ts";
import { findConsole } from "./find-console.ts";
import { isAskedFor, lockConsole } from "./lock-console.ts";

/** Options of a connection to a guest's console. */
export interface TalkOptions {
  readonly devname: string | undefined;
  /** Disconnect the process connected now. */
  readonly force: boolean;
  /** Byte for the end of the connection. */
  readonly leaveBy: number;
  /** Called with the domain's name when the connection is open. */
  onOpen(name: string): void;
}

/** Sessions of a device, as libvirt calls them. qemuDomainOpenConsole() and qemuDomainOpenChannel() */
const [CONSOLE, CHANNEL] = ["console session", "channel stream"];

/**
 * Connects the caller's input and output to a running guest's console. Throws "not-found"; "wrong-state" if
 * the guest is off or another process is connected; "failed" if another process takes the console;
 * "unsupported" for the agent's channel.
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

/** Character device opened by a client. */
export interface OpenOptions {
  readonly name: string | undefined;
  /** End the device's current stream or session. */
  readonly force: boolean;
  /** Only among the guest's channels, by an alias or the name of a port in the guest. */
  readonly isChannel?: boolean;
}

/**
 * Opens a running guest's console or channel for a client. The lock ends with the stream, also when the guest
 * ends it. The stream throws "failed" once another call or process forces it away. Throws as talkToGuest(),
 * and findChannel().
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

/** Returns libvirt's words for a stream replaced by another. daemonStreamEvent() of libvirt */
function forcedAway(): SvirtError {
  return new SvirtError("stream had I/O failure: another session has taken the device", {
    kind: "failed",
    libvirt: "RPC",
    remedy: "Open it again, by VIR_DOMAIN_CONSOLE_FORCE or VIR_DOMAIN_CHANNEL_FORCE.",
  });
}

/** Console of a running guest, locked by this process. */
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
  if (!isChannel) refuseAgent(guest, name);
  const { facts, id } = await findConsole(instance, guest, isChannel ? findChannel(guest, name) : name);
  const lock = deviceLock(instance.paths, guest.uuid, id);
  const release = await lockConsole(instance, { path: lock, force, use: isChannel ? CHANNEL : CONSOLE });
  return { name: guest.name, facts, lock, release };
}

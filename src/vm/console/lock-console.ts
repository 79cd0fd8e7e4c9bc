import { asSvirtError, SvirtError, unlessRefused } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { ProcessId } from "../../host/processes.ts";
import { getLockHolder } from "../../run/process/lock-holder.ts";
import type { Instance } from "../../state/instance.ts";

// Rule: A console has a single session, which force ends.

/** Content of a lock's file: its holder is asked for the console, or not. */
const [ASKED, UNASKED] = ["!", "-"];
/**
 * Time for a holder to end its session, and between two requests: a request at a change of the holder is
 * lost.
 */
const [LET_GO_MS, AGAIN_MS] = [5000, 1000];

/** Lock of a device, and what libvirt calls a session with it. */
interface DeviceLock {
  readonly path: string;
  readonly force: boolean;
  readonly use: string;
}

/**
 * Locks a guest's device for a session. Throws "wrong-state" if another session has it, unless `force` asks
 * the other to end. The request is in the lock's file, writable for the user of this instance only; no other
 * session of the holder's process ends.
 */
export async function lockConsole(instance: Instance, { force, path, use }: DeviceLock): Promise<() => void> {
  const { host } = instance;
  const release = await tryFor(host, path, 0);
  if (release !== undefined) return release;
  if (!force) throw inUse(use, getLockHolder(host, path));
  await instance.memory?.consoles.get(path)?.();
  for (let leftMs = LET_GO_MS; leftMs > 0; leftMs -= AGAIN_MS) {
    write(host, path, ASKED);
    const given = await tryFor(host, path, AGAIN_MS);
    if (given !== undefined) return given;
  }
  throw inUse(use, getLockHolder(host, path));
}

/** Whether another process asks the holder of a console's lock to end its session. */
export function isAskedFor(host: Host, path: string): boolean {
  // A process without a free descriptor looks again.
  return unlessRefused(() => host.readText(path)) === ASKED;
}

/** Takes the lock if it becomes free in time. Requests to earlier holders end. */
async function tryFor(host: Host, path: string, timeoutMs: number): Promise<(() => void) | undefined> {
  let release: () => void;
  try {
    release = await host.lock(path, timeoutMs);
  } catch (error) {
    if (asSvirtError(error).kind === "timeout") return undefined;
    throw error;
  }
  try {
    if (isAskedFor(host, path)) write(host, path, UNASKED);
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

function write(host: Host, path: string, content: string): void {
  const file = host.inspectFile(path)?.id;
  if (file !== undefined) host.writeBytes(file, 0, new TextEncoder().encode(content));
}

function inUse(use: string, holder: ProcessId | undefined): SvirtError {
  const by = holder === undefined ? "" : ` (process ${holder.pid})`;
  return new SvirtError(`operation failed: Active ${use} exists for this domain${by}`, {
    kind: "wrong-state",
    libvirt: "OPERATION_FAILED",
    remedy: "End that session, or disconnect it: --force",
  });
}

import { asSvirtError } from "../errors.ts";
import { guestPaths, registryLock } from "../plan/paths.ts";
import type { Actor } from "../run/actor.ts";
import { type Node, registryOf } from "./instance.ts";
import { type GuestRecord, type IdentifiedGuest, identityOf } from "./record.ts";

const LOCK_TIMEOUT_MS = 300_000;

/** Waits for the guest's lock, does the work and lets go of it. */
export async function withGuestLock<Result>(
  node: Node,
  uuid: string,
  work: () => Promise<Result>,
): Promise<Result> {
  return await withLock(node, { path: guestPaths(node.paths, uuid).lock, timeoutMs: LOCK_TIMEOUT_MS }, work);
}

/** The same if nobody holds the guest's lock: else it is left to whoever does. */
export async function withFreeGuest(node: Node, uuid: string, work: () => Promise<void>): Promise<void> {
  let isHeld = true;
  try {
    await withLock(node, { path: guestPaths(node.paths, uuid).lock, timeoutMs: 0 }, async () => {
      isHeld = false;
      await work();
    });
  } catch (error) {
    if (!isHeld || asSvirtError(error).kind !== "timeout") throw error;
  }
}

/** Waits for the registry's lock: whoever changes claims or labels, or chooses by them, holds it. */
export async function withRegistryLock<Result>(node: Node, work: () => Promise<Result>): Promise<Result> {
  return await withLock(node, { path: registryLock(node.paths), timeoutMs: LOCK_TIMEOUT_MS }, work);
}

async function withLock<Result>(
  { host }: Node,
  { path, timeoutMs }: { readonly path: string; readonly timeoutMs: number },
  work: () => Promise<Result>,
): Promise<Result> {
  const unlock = await host.lock(path, timeoutMs);
  try {
    return await work();
  } finally {
    unlock();
  }
}

/** Who carries a guest's steps out. */
export function actorFor(node: Node, guest: IdentifiedGuest & Partial<Pick<GuestRecord, "bootId">>): Actor {
  const { bootId } = guest;
  return {
    host: node.host,
    registry: registryOf(node),
    owner: guest.uuid,
    ...identityOf(guest),
    ...(bootId === undefined ? {} : { bootId }),
  };
}

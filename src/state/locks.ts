import { asSvirtError } from "../errors.ts";
import {
  deviceLock,
  groupLock,
  guestPaths,
  notesLock,
  pciLock,
  registryLock,
  reportsLock,
  targetLock,
  volumeLock,
} from "../plan/paths.ts";
import type { Instance } from "./instance.ts";

// Rule: A lock is waited for with a time limit.

const LOCK_TIMEOUT_MS = 300_000;
/** A report is not worth a longer wait. */
const NOTES_TIMEOUT_MS = 1000;

/** Waits for the guest's lock, does the work and releases the lock. */
export async function withGuestLock<Result>(
  instance: Instance,
  uuid: string,
  work: () => Promise<Result>,
): Promise<Result> {
  return await withLock(
    instance,
    { path: guestPaths(instance.paths, uuid).lock, timeoutMs: LOCK_TIMEOUT_MS },
    work,
  );
}

/** Does the work if the guest's lock is free. Otherwise leaves it to the lock's holder. */
export async function withFreeGuest(
  instance: Instance,
  uuid: string,
  work: () => Promise<void>,
): Promise<void> {
  let isHeld = true;
  try {
    await withLock(instance, { path: guestPaths(instance.paths, uuid).lock, timeoutMs: 0 }, async () => {
      isHeld = false;
      await work();
    });
  } catch (error) {
    if (!isHeld || asSvirtError(error).kind !== "timeout") throw error;
  }
}

/**
 * Locks a kind of work on a domain; undefined if another call has the lock. The kernel unlocks it when svirt
 * is killed.
 */
export async function tryLock(
  { host, paths }: Instance,
  uuid: string,
  work: "merge" | "quiesce",
): Promise<(() => void) | undefined> {
  try {
    return await host.lock(deviceLock(paths, uuid, work), 0);
  } catch (error) {
    if (asSvirtError(error).kind !== "timeout") throw error;
    return undefined;
  }
}

/** Waits for the registry lock. A caller that changes claims or labels, or chooses by them, holds it. */
export async function withRegistryLock<Result>(
  instance: Instance,
  work: () => Promise<Result>,
): Promise<Result> {
  return await withLock(instance, { path: registryLock(instance.paths), timeoutMs: LOCK_TIMEOUT_MS }, work);
}

/**
 * Waits a second for the lock of notes about domains, which the caller may take under any other lock. Throws
 * "timeout".
 */
export async function withNotesLock(instance: Instance, work: () => Promise<void>): Promise<void> {
  await withLock(instance, { path: notesLock(instance.paths), timeoutMs: NOTES_TIMEOUT_MS }, work);
}

/**
 * Waits a second for the lock of a guest's reports, which the caller may take under any other lock. Throws
 * "timeout".
 */
export async function withReportsLock(
  instance: Instance,
  uuid: string,
  work: () => Promise<void>,
): Promise<void> {
  const unlock = await lockReports(instance, uuid);
  try {
    await work();
  } finally {
    unlock();
  }
}

/** Takes the lock of withReportsLock(), and returns the function that releases it. Throws "timeout". */
export async function lockReports({ host, paths }: Instance, uuid: string): Promise<() => void> {
  return await host.lock(reportsLock(paths, uuid), NOTES_TIMEOUT_MS);
}

/**
 * Waits for the lock of an iSCSI target, under which a pool logs in to it and out of it. It may take minutes,
 * so the caller holds no other lock, and may take the registry's.
 */
export async function withIscsiLock<Result>(
  instance: Instance,
  target: string,
  work: () => Promise<Result>,
): Promise<Result> {
  return await withLock(
    instance,
    { path: targetLock(instance.paths, target), timeoutMs: LOCK_TIMEOUT_MS },
    work,
  );
}

/**
 * Waits for the lock of a volume group of LVM, under which its volumes are activated and deactivated. A disk
 * may take long, so the caller holds no other lock, and may take the registry's.
 */
export async function withGroupLock<Result>(
  instance: Instance,
  group: string,
  work: () => Promise<Result>,
): Promise<Result> {
  return await withLock(
    instance,
    { path: groupLock(instance.paths, group), timeoutMs: LOCK_TIMEOUT_MS },
    work,
  );
}

/**
 * Waits for the lock of a PCI device, under which its driver is changed. The kernel may take long, so the
 * caller holds no other lock, and may take the registry's.
 */
export async function withPciLock<Result>(
  instance: Instance,
  address: string,
  work: () => Promise<Result>,
): Promise<Result> {
  return await withLock(
    instance,
    { path: pciLock(instance.paths, address), timeoutMs: LOCK_TIMEOUT_MS },
    work,
  );
}

/**
 * Waits for the lock of a disk with a partition in the making, which may get data. The caller holds no other
 * lock, and may take the registry's.
 */
export async function withDiskLock<Result>(
  instance: Instance,
  number: string,
  work: () => Promise<Result>,
): Promise<Result> {
  return await withLock(
    instance,
    { path: volumeLock(instance.paths, number), timeoutMs: LOCK_TIMEOUT_MS },
    work,
  );
}

/**
 * Does the work under the lock of a volume in the making, under a name used by svirt only. Without the lock
 * it is left by an interrupted call. The file of the lock is removed, since the name has no other use.
 */
export async function withPartLock<Result>(
  instance: Instance,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const path = volumeLock(instance.paths, name);
  return await withLock(instance, { path, timeoutMs: 0 }, async () => {
    try {
      return await work();
    } finally {
      instance.host.removeFile(path);
    }
  });
}

/** Reports whether another call holds the lock of withPartLock(). */
export function isPartLocked({ host, paths }: Instance, name: string): boolean {
  return host.isLocked(volumeLock(paths, name));
}

async function withLock<Result>(
  { host }: Instance,
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

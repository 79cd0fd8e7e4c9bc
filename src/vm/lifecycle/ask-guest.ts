import { parseDomainText } from "../../domain/document.ts";
import { parseSizeInKiB } from "../../domain/forms/memory-size.ts";
import { SvirtError } from "../../errors.ts";
import type { Node } from "../../state/instance.ts";
import { withGuestLock } from "../../state/locks.ts";
import { type GuestRecord, writeEnding, writeRecord } from "../../state/record.ts";
import { findDomain, findRunning } from "../guest/find-domain.ts";
import { tellMonitor, withMonitor } from "../guest/guest-monitor.ts";

/** Asks the guest to power itself off, as by its button; whether it does is its own affair. Gives false when it is off. */
export async function shutdownGuest(node: Node, key: string): Promise<{ name: string; did: boolean }> {
  const { guest, name } = findDomain(node, key);
  if (guest === undefined) return { name, did: false };
  await pressPowerButton(node, guest.uuid, "shutdown");
  return { name, did: true };
}

/**
 * Asks the guest to power itself off, and starts it again when it has: its reaper does. So a reboot is a cold one, and
 * it takes up what the definition has become. Throws "wrong-state".
 */
export async function rebootGuest(node: Node, key: string): Promise<{ name: string }> {
  return await pressPowerButton(node, key, "reboot");
}

/** Stops the vCPUs. Stopped already is fine. Throws "wrong-state" when it is off. */
export async function suspendGuest(node: Node, key: string): Promise<{ name: string }> {
  return await tell(node, key, "stop");
}

/** Lets the vCPUs go on. Going already is fine. Throws "wrong-state" when it is off. */
export async function resumeGuest(node: Node, key: string): Promise<{ name: string }> {
  return await tell(node, key, "cont");
}

async function tell(node: Node, key: string, command: "stop" | "cont"): Promise<{ name: string }> {
  return await withRunning(node, key, async (guest) => {
    await tellMonitor(node, guest.uuid, { execute: command });
    if (command === "cont" && guest.unpaused !== true) writeRecord(node, { ...guest, unpaused: true });
  });
}

async function pressPowerButton(
  node: Node,
  key: string,
  intent: "shutdown" | "reboot",
): Promise<{ name: string }> {
  return await withRunning(node, key, async (guest) => {
    // A reboot is an end only if it can be written down what is to follow.
    if (intent === "reboot") writeRecord(node, { ...guest, intent });
    else writeEnding(node, { ...guest, intent });
    await withMonitor(node, guest.uuid, (monitor) => monitor.execute("system_powerdown"));
  });
}

/** The keys of the guest's keyboard, pressed at once; for QEMU's own 100 ms unless it is said how long. */
export async function pressKeys(
  node: Node,
  key: string,
  keys: { readonly qcodes: readonly string[]; readonly holdMs: number | undefined },
): Promise<void> {
  const { guest } = findRunning(node, key);
  await withMonitor(node, guest.uuid, (monitor) =>
    monitor.execute("send-key", {
      keys: keys.qcodes.map((data) => ({ type: "qcode", data })),
      ...(keys.holdMs === undefined ? {} : { "hold-time": keys.holdMs }),
    }),
  );
}

/** Asks the guest's balloon for a size such as `524288` (KiB) or `512MiB`. Throws "usage", "wrong-state". */
export async function setGuestMemory(node: Node, key: string, size: string): Promise<void> {
  const kiB = parseSizeInKiB(size);
  await withRunning(node, key, async (guest) => {
    const most = parseDomainText(guest.xml).memory.kiB;
    if (kiB === undefined || kiB > most) {
      throw new SvirtError(`Cannot set the memory of ${guest.name} to ${size}: it has at most ${most} KiB`, {
        kind: "usage",
        remedy: "Give a size in KiB, or with a unit: 512MiB.",
      });
    }
    await withMonitor(node, guest.uuid, (monitor) => monitor.execute("balloon", { value: kiB * 1024 }));
  });
}

/** Looks again once the lock is held: a guest that was cleared away meanwhile must not be given a record anew. */
async function withRunning(
  node: Node,
  key: string,
  work: (guest: GuestRecord) => Promise<void>,
): Promise<{ name: string }> {
  const { guest, name } = findRunning(node, key);
  await withGuestLock(node, guest.uuid, async () => await work(findRunning(node, guest.uuid).guest));
  return { name };
}

import { guestPaths } from "../plan/paths.ts";
import type { Step } from "../plan/steps/step.ts";
import type { Node } from "./instance.ts";
import { type GuestRecord, isWritten } from "./record.ts";

/** Why a guest is off, in libvirt's words of `domstate --reason`. */
export type ShutoffReason = "shutdown" | "destroyed" | "crashed" | "saved" | "failed" | "unknown";

/** Why the guest ended, from what was asked of it and what its reaper saw. */
export function reasonOf(node: Node, guest: GuestRecord): ShutoffReason {
  if (guest.reason !== undefined) return guest.reason;
  if (guest.change?.stage === "finishing" && guest.change.ends !== undefined) return guest.change.ends;
  const isOfThisBoot = guest.bootId === node.host.getBootId();
  if (guest.state === "starting" && isOfThisBoot) return "failed";
  if (guest.intent === "destroy") return "destroyed";
  const exit = node.host.readText(guestPaths(node.paths, guest.uuid).exit)?.trim();
  // The node went down under it: it did not end by itself, and nothing tells more, not even whether it ran (launch-guest.ts).
  if (!isOfThisBoot) return "unknown";
  if (exit === undefined) return "crashed";
  return exit === "0" ? "shutdown" : "crashed";
}

/** Why a guest that is off went off; undefined when it has not run since the node was booted. */
export function readReason(node: Node, uuid: string): string | undefined {
  return node.host.readText(`${node.paths.run}/ended/${uuid}`)?.trim();
}

/** Keeps it for readReason(). */
export function writeReason(node: Node, uuid: string, reason: ShutoffReason): void {
  // With no room for it domstate says "unknown".
  isWritten(() => {
    node.host.makeFolder({ path: `${node.paths.run}/ended`, mode: 0o700 });
    node.host.writeText(`${node.paths.run}/ended/${uuid}`, `${reason}\n`, 0o600);
  });
}

/** All that was or may have been done for a guest, a change that is under way among it. */
export function allSteps(guest: GuestRecord): readonly Step[] {
  return [...guest.steps, ...(guest.change?.steps ?? []), ...(guest.change?.after ?? [])];
}

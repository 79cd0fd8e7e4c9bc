import { guestPaths } from "../plan/paths.ts";
import type { Step } from "../plan/steps/step.ts";
import type { Instance } from "./instance.ts";
import { type GuestRecord, isWritten } from "./record.ts";

// Rule: Exit status and requests tell why a guest is off.

/** Reason why a guest is off, in the terms of libvirt's `domstate --reason`. */
export type ShutoffReason = "shutdown" | "destroyed" | "crashed" | "saved" | "failed" | "unknown";

/** Returns why the guest ended, from the requests made to it and the exit status that its reaper recorded. */
export function reasonOf(instance: Instance, guest: GuestRecord): ShutoffReason {
  if (guest.reason !== undefined) return guest.reason;
  if (guest.change?.stage === "finishing" && guest.change.ends !== undefined) return guest.change.ends;
  const isOfThisBoot = guest.bootId === instance.host.getBootId();
  if (guest.state === "starting" && isOfThisBoot) return "failed";
  if (guest.intent === "destroy") return "destroyed";
  const exit = instance.host.readText(guestPaths(instance.paths, guest.uuid).exit)?.trim();
  // The host went down with the guest: no file says why it ended, or even whether it ran (launch-guest.ts).
  if (!isOfThisBoot) return "unknown";
  if (exit === undefined) return "crashed";
  return exit === "0" ? "shutdown" : "crashed";
}

/** Returns why a guest went off; undefined if it has not run since the host booted. */
export function readReason(instance: Instance, uuid: string): string | undefined {
  return instance.host.readText(reasonFile(instance, uuid))?.trim();
}

/** Returns the time at which the reason was stored, at the guest's end; undefined if there is none. */
export function readEndNs(instance: Instance, uuid: string): bigint | undefined {
  return instance.host.inspectFile(reasonFile(instance, uuid))?.times.modifiedNs;
}

/** Stores the reason for readReason(). */
export function writeReason(instance: Instance, uuid: string, reason: ShutoffReason): void {
  // If the disk has no room for the reason, domstate reports "unknown".
  isWritten(() => {
    instance.host.makeFolder({ path: `${instance.paths.run}/ended`, mode: 0o700 });
    instance.host.writeText(reasonFile(instance, uuid), `${reason}\n`, 0o600);
  });
}

/** Returns the path of the file with the reason. */
export function reasonFile({ paths }: Instance, uuid: string): string {
  return `${paths.run}/ended/${uuid}`;
}

/** Lists all steps done or possibly done for a guest, including those of a change in progress. */
export function allSteps(guest: Pick<GuestRecord, "steps" | "change">): readonly Step[] {
  return [...guest.steps, ...(guest.change?.steps ?? []), ...(guest.change?.after ?? [])];
}

import type { DomainState } from "../../qemu/monitor/status.ts";
import type { Instance } from "../../state/instance.ts";
import { readReason } from "../../state/shutoff-reason.ts";
import { type FoundDomain, findDomain } from "../guest/find-domain.ts";

/** Returns the state of a domain, running or off, and the reason for it. Throws "not-found". */
export async function getDomainState(instance: Instance, key: string): Promise<DomainState> {
  return await stateOf(instance, findDomain(instance, key));
}

/** Returns the state of a domain that was just found, and the reason for it. */
export async function stateOf(
  instance: Instance,
  { guest, uuid }: Pick<FoundDomain, "guest" | "uuid">,
): Promise<DomainState> {
  if (guest !== undefined) return await (await import("./guest-state.ts")).getGuestState(instance, guest);
  return { state: "shut off", reason: readReason(instance, uuid) ?? "unknown" };
}

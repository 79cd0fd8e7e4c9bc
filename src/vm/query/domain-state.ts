import type { DomainState } from "../../qemu/monitor/status.ts";
import type { Instance } from "../../state/instance.ts";
import { readReason } from "../../state/reason.ts";
import { findDomain } from "../guest/find-domain.ts";
import { getGuestState } from "./guest-state.ts";

/** Returns the state of a domain, running or off, and the reason for it. Throws "not-found". */
export async function getDomainState(instance: Instance, key: string): Promise<DomainState> {
  const { guest, uuid } = findDomain(instance, key);
  if (guest !== undefined) return await getGuestState(instance, guest);
  return { state: "shut off", reason: readReason(instance, uuid) ?? "unknown" };
}

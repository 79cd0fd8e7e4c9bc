import type { DomainState } from "../../qemu/monitor/status.ts";
import type { Node } from "../../state/instance.ts";
import { readReason } from "../../state/reason.ts";
import { findDomain } from "../guest/find-domain.ts";
import { getGuestState } from "./guest-state.ts";

/** Returns the state of a domain, running or off, and the reason for it. Throws "not-found". */
export async function getDomainState(node: Node, key: string): Promise<DomainState> {
  const { guest, uuid } = findDomain(node, key);
  if (guest !== undefined) return await getGuestState(node, guest);
  return { state: "shut off", reason: readReason(node, uuid) ?? "unknown" };
}

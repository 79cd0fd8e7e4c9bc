import { formatDomain } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { completedGuest } from "../../qemu/completed-guest.ts";
import type { Guest } from "../../qemu/model/guest.ts";
import type { CompletedDomain } from "../../resolve/completed-definition.ts";

/** Re-applies the defaults if the start changed the domain. */
export function guestOf({ domain }: CompletedDomain, used: Domain): Guest {
  if (used === domain) return completedGuest(used);
  const {
    completeGuest,
  }: typeof import("../../qemu/complete-guest.ts") = require("../../qemu/complete-guest.ts");
  return completeGuest(used);
}

/** Reuses the stored XML if the start did not change the domain. */
export function shownXml({ domain, xml }: CompletedDomain, shown: Domain): string {
  return xml !== undefined && shown === domain ? xml : formatDomain(shown);
}

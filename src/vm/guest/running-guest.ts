import { parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { completeGuest } from "../../qemu/complete-guest.ts";
import type { Guest } from "../../qemu/model/guest.ts";
import type { GuestRecord } from "../../state/record.ts";
import { withChosenPorts } from "./chosen-ports.ts";

/** Returns a running guest's domain and devices, with every address that QEMU got. */
export function runningGuest({ xml }: Pick<GuestRecord, "xml">): {
  readonly domain: Domain;
  readonly guest: Guest;
} {
  const recorded = parseDomainText(xml);
  const guest = completeGuest(recorded);
  const graphics = withChosenPorts(guest.devices.graphics, recorded.devices.graphics);
  return { domain: { ...guest.domain, devices: { ...guest.devices, graphics } }, guest };
}

import { parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { completeGuest } from "../../qemu/complete-guest.ts";
import type { Guest } from "../../qemu/model/guest.ts";
import type { GuestRecord } from "../../state/record.ts";

/** A running guest's domain, and its devices for QEMU. */
interface RunningGuest {
  readonly domain: Domain;
  readonly guest: Guest;
}

/** The guests of parsed domains: parseDomainText() returns the same object for the same text. */
const known = new WeakMap<Domain, RunningGuest>();

/** Returns a running guest's domain and devices, with every address from QEMU. */
export function runningGuest({ xml }: Pick<GuestRecord, "xml">): RunningGuest {
  const recorded = parseDomainText(xml);
  const before = known.get(recorded);
  if (before !== undefined) return before;
  const guest = completeGuest(recorded);
  const graphics = addChosenPorts(guest.devices.graphics, recorded.devices.graphics);
  const running = { domain: { ...guest.domain, devices: { ...guest.devices, graphics } }, guest };
  known.set(recorded, running);
  return running;
}

type Graphics = Domain["devices"]["graphics"][number];

/**
 * Returns displays with the ports of the recorded displays, in the same order. A completed domain leaves an
 * automatic port to a start; a running guest has it already.
 */
function addChosenPorts(graphics: readonly Graphics[], recorded: readonly Graphics[]): readonly Graphics[] {
  return graphics.map((found, at) => {
    const before = recorded[at];
    if (found.type !== "vnc" || before?.type !== "vnc" || before.port === undefined) return found;
    return { ...found, port: before.port };
  });
}

import { formatDomain, parseDomainText } from "../domain/document.ts";
import type { Domain } from "../domain/domain.ts";
import { formatGuestArgv } from "./command-line.ts";
import { completeGuest } from "./complete-guest.ts";
import type { FirmwareChoice } from "./firmware/defaults.ts";
import { UnsettledError } from "./refusal.ts";

/**
 * The domain as it is stored: with its defaults, the devices that are there without being written, and their addresses;
 * on a host, with the firmware that is chosen there. Throws "unsupported" for one that QEMU could not be told exactly,
 * wherever it is started.
 */
export function storedDomain(domain: Domain, firmware?: FirmwareChoice): Domain {
  const guest = completeGuest(domain, firmware);
  try {
    formatGuestArgv(guest);
  } catch (refusal) {
    if (!(refusal instanceof UnsettledError)) throw refusal;
  }
  return guest.domain;
}

/** Throws what would keep it from being defined: what a running guest has become is read again from its record. */
export function refuseUndefinable(domain: Domain): void {
  storedDomain(parseDomainText(formatDomain(domain)));
}

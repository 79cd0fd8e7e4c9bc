import { formatDomain, parseDomainText } from "../domain/document.ts";
import type { Domain } from "../domain/domain.ts";
import { errorsOf, type SvirtError, throwErrors } from "../errors.ts";
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
  const { stored, errors } = inspectStored(domain, firmware);
  throwErrors(errors.filter((one) => !(one instanceof UnsettledError)));
  return stored;
}

/** A domain as it is stored, and all that is refused of its command line, now or at a start. */
export interface InspectedStored {
  readonly stored: Domain;
  readonly errors: readonly SvirtError[];
}

/** The same past all that is refused. Throws "unsupported" for a domain that cannot be completed. */
export function inspectStored(domain: Domain, firmware?: FirmwareChoice): InspectedStored {
  const guest = completeGuest(domain, firmware);
  return { stored: guest.domain, errors: errorsOf(() => formatGuestArgv(guest)) };
}

/** Throws what would keep it from being defined: what a running guest has become is read again from its record. */
export function refuseUndefinable(domain: Domain): void {
  storedDomain(parseDomainText(formatDomain(domain)));
}

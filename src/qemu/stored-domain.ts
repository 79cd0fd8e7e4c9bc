import { formatDomain, parseDomainText } from "../domain/document.ts";
import type { Domain } from "../domain/domain.ts";
import { errorsOf, type SvirtError, throwErrors } from "../errors.ts";
import { formatGuestArgv } from "./command-line.ts";
import { completeGuest } from "./complete-guest.ts";
import type { FirmwareChoice } from "./firmware/defaults.ts";
import { HostDependentError } from "./refusal.ts";

/**
 * Returns the domain in its stored form: with defaults, implicit devices and addresses. `firmware` has the
 * descriptors of the host to choose from. Throws "unsupported" for a domain that no host can translate
 * exactly for QEMU.
 */
export function storedDomain(domain: Domain, firmware?: FirmwareChoice): Domain {
  const { stored, errors } = inspectStored(domain, firmware);
  throwErrors(errors.filter((one) => !(one instanceof HostDependentError)));
  return stored;
}

/** A domain in its stored form, with all refusals of its command line, now or at a start. */
export interface InspectedStored {
  readonly stored: Domain;
  readonly errors: readonly SvirtError[];
}

/**
 * Returns the stored form with the refusals instead of throwing them. Throws "unsupported" for a domain that
 * cannot be completed.
 */
export function inspectStored(domain: Domain, firmware?: FirmwareChoice): InspectedStored {
  const guest = completeGuest(domain, firmware);
  return { stored: guest.domain, errors: errorsOf(() => formatGuestArgv(guest)) };
}

/**
 * Refuses a domain unfit for a definition. Formats and parses it first, since a running guest's XML is read
 * again from its record.
 */
export function refuseUndefinable(domain: Domain): void {
  storedDomain(parseDomainText(formatDomain(domain)));
}

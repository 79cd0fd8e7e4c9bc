import type { Domain } from "../domain/domain.ts";
import { formatGuestArgv } from "./argv.ts";
import { completeGuest } from "./complete-guest.ts";
import type { FirmwareChoice } from "./default-firmware.ts";
import { UnsettledError } from "./refusal.ts";

/**
 * The domain as it is stored: with its defaults, the devices that are there without being written, and their addresses;
 * on a host, with the firmware that is chosen there. Throws "unsupported" for one that QEMU could not be told exactly, wherever it is started.
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

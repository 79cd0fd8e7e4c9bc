import type { Devices } from "../domain/devices.ts";
import type { Redirdev } from "../domain/redirdev.ts";
import type { Smartcard } from "../domain/smartcard.ts";

/** A redirected device with its protocol. virDomainChrSourceDefFormat() of libvirt */
export function fillRedirdev(found: Redirdev): Redirdev {
  return found.type === "tcp" ? { ...found, protocol: found.protocol ?? { type: "raw" } } : found;
}

/** Smartcards with their readers: one that names none is in the first. virDomainDefMaybeAddSmartcardController() of libvirt */
export function fillSmartcards(smartcards: Devices["smartcards"]): Devices["smartcards"] {
  return smartcards.map((found) => ({ ...withProtocol(found), address: found.address ?? FIRST_READER }));
}

const FIRST_READER = { type: "ccid", controller: 0, slot: 0 } as const;

function withProtocol(found: Smartcard): Smartcard {
  return found.type === "tcp" ? { ...found, protocol: found.protocol ?? { type: "raw" } } : found;
}

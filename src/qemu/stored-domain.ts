import type { Domain } from "../domain/domain.ts";
import { formatArgv } from "./argv.ts";
import { completeGuest } from "./complete-guest.ts";
import type { Launch } from "./launch.ts";

/** A start in which nothing is handed over: for its refusals alone. */
const NO_LAUNCH: Launch = { monitorFd: 3, descriptors: [], folder: "/run/svirt" };

/**
 * The domain as it is stored: with its defaults, the devices that are there without being written, and their addresses.
 * Throws "unsupported" for one that QEMU could neither be told in the reference's words nor at a start.
 */
export function storedDomain(domain: Domain): Domain {
  try {
    formatArgv(domain);
  } catch (refusal) {
    // Some words of the reference are not known for certain, and a start does without them.
    if (!isStartable(domain)) throw refusal;
  }
  return completeGuest(domain).domain;
}

function isStartable(domain: Domain): boolean {
  try {
    formatArgv(domain, { launch: NO_LAUNCH });
    return true;
  } catch {
    return false;
  }
}

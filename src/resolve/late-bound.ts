import type { Domain } from "../domain/domain.ts";
import type { Host } from "../host/host.ts";
import { dropMissingDisks } from "./optional-disks.ts";
import { bindUsbDevices } from "./usb-devices.ts";

/** Resolves the parts of a domain that its XML leaves to the host, which may differ at the next start. Throws "not-found". */
export function bindToHost(host: Host, domain: Domain): Domain {
  return bindUsbDevices(host, dropMissingDisks(host, domain));
}

import type { Domain } from "../domain/domain.ts";
import type { Host } from "../host/host.ts";
import { settleDisks } from "./optional-disks.ts";
import { settleUsb } from "./usb-devices.ts";

/** Resolves the parts of a domain that its XML leaves to the host, which may differ at the next start. Throws "not-found". */
export function settleDomain(host: Host, domain: Domain): Domain {
  return settleUsb(host, settleDisks(host, domain));
}

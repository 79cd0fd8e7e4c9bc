import type { Domain } from "../domain/domain.ts";
import type { Host } from "../host/host.ts";
import { addInterfaceId } from "./interface-id.ts";
import { dropMissingDisks } from "./optional-disks.ts";
import { bindUsbDevices } from "./usb-devices.ts";

/**
 * Resolves the parts of a domain left by its XML to the host, and so different at the next start. Throws
 * "not-found".
 */
export function bindToHost(host: Host, domain: Domain): Domain {
  return addInterfaceIds(host, bindUsbDevices(host, dropMissingDisks(host, domain)));
}

/** Completes a definition of an older svirt without a generated interfaceid. */
function addInterfaceIds(host: Host, domain: Domain): Domain {
  const { devices } = domain;
  const interfaces = devices.interfaces.map((found) => addInterfaceId(host, found));
  const isSame = interfaces.every((found, at) => found === devices.interfaces[at]);
  return isSame ? domain : { ...domain, devices: { ...devices, interfaces } };
}

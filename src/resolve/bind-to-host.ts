import type { Domain } from "../domain/domain.ts";
import type { Host } from "../host/host.ts";
import { addInterfaceId } from "./interface-id.ts";
import { dropMissingDisks } from "./optional-disks.ts";
import { bindUsbDevices } from "./usb-devices.ts";

/** Resolves the parts of a domain that its XML leaves to the host, which may differ at the next start. Throws "not-found". */
export function bindToHost(host: Host, domain: Domain): Domain {
  return addInterfaceIds(host, bindUsbDevices(host, dropMissingDisks(host, domain)));
}

/** Completes a definition of a svirt that generated no interfaceid. */
function addInterfaceIds(host: Host, domain: Domain): Domain {
  const { devices } = domain;
  const interfaces = devices.interfaces.map((found) => addInterfaceId(host, found));
  const isSame = interfaces.every((found, at) => found === devices.interfaces[at]);
  return isSame ? domain : { ...domain, devices: { ...devices, interfaces } };
}

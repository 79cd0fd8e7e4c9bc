import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import { unbindInterfaces } from "../../domain/unbound-interfaces.ts";
import type { Instance } from "../../state/instance.ts";
import { type Form, formOf } from "../guest/domain-form.ts";
import { findDomain } from "../guest/find-domain.ts";
import { findInterface } from "../guest/guest-interfaces.ts";

/** A network interface of a domain. Undefined fields are not in its XML. */
export interface ListedInterface {
  /** Name of the tap or macvtap on the host. */
  readonly interface: string | undefined;
  readonly type: NetworkInterface["type"];
  /** Network, bridge or device of the host at the interface's other end. */
  readonly source: string | undefined;
  readonly model: string | undefined;
  readonly mac: string | undefined;
}

/** Lists the network interfaces of a domain in the order of its XML. Throws "not-found". */
export function listInterfaces(instance: Instance, key: string, form: Form): readonly ListedInterface[] {
  return interfacesOf(instance, key, form).map((found) => ({
    interface: found.target?.dev,
    type: found.type,
    source: sourceName(found),
    model: found.model?.type,
    mac: found.mac?.address,
  }));
}

/**
 * Returns the link state of an interface, by its name on the host or MAC address; undefined if its XML has
 * none: the link is up. Throws "not-found".
 */
export function getLinkState(
  instance: Instance,
  key: string,
  { form, name }: { readonly form: Form; readonly name: string },
): "up" | "down" | undefined {
  return findInterface(interfacesOf(instance, key, form), name).link?.state;
}

function interfacesOf(instance: Instance, key: string, form: Form): readonly NetworkInterface[] {
  const domain = formOf(instance, findDomain(instance, key), form);
  return (form === "defined" ? unbindInterfaces(domain) : domain).devices.interfaces;
}

/** Returns the source as virsh shows it. */
function sourceName(found: NetworkInterface): string | undefined {
  switch (found.type) {
    case "network":
      return found.source.network;
    case "bridge":
      // virsh takes the first attribute of several.
      return found.source.network ?? found.source.bridge;
    case "direct":
      return found.source.network ?? found.source.dev;
    case "vdpa":
      return found.source.dev;
    default:
      return undefined;
  }
}
